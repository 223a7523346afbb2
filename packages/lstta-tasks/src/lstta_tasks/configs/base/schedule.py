"""AdamW, warm-up and cosine, and how often the log gets a line. Epochs stand in each config, and the schedule follows."""

from torch.optim import AdamW

seed = 0
log_interval = 10
optim_wrapper = dict(optimizer=dict(type=AdamW, lr=2e-3, weight_decay=0.01), clip_grad=dict(max_norm=1.0))
schedule = dict(warmup_steps=50, decay="cosine")
