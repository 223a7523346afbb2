"""AdamW, and how often the log gets a line. The learning rate's course stands in each config, beside its epochs."""

from torch.optim import AdamW

seed = 0
log_interval = 10
optim_wrapper = dict(optimizer=dict(type=AdamW, lr=2e-3, weight_decay=0.01), clip_grad=dict(max_norm=1.0))
