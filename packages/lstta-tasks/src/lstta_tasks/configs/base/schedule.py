"""AdamW, warm-up and cosine, and how often the log gets a line. Epochs stand in each config, and the schedule follows.

Weight matrices with more than optim_wrapper.full_rate_inputs=128 inputs have a rate that is smaller by as much
(lstta_core.rates), so one rate suits encoders of any width; None gives all of them the same.
"""

from torch.optim import AdamW

seed = 0
log_interval = 10
optim_wrapper = dict(optimizer=dict(type=AdamW, lr=1e-3, weight_decay=0.01), clip_grad=dict(max_norm=1.0))
schedule = dict(warmup_steps=50, decay="cosine")
