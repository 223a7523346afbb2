"""AdamW with a warm-up of one epoch and a cosine after it."""

from mmengine.optim import CosineAnnealingLR, LinearLR
from torch.optim import AdamW

seed = 0
log_interval = 10
optim_wrapper = dict(optimizer=dict(type=AdamW, lr=1e-3, weight_decay=0.01), clip_grad=dict(max_norm=1.0))
train_cfg = dict(max_epochs=10, val_interval=1)
param_scheduler = [
    dict(type=LinearLR, start_factor=0.1, by_epoch=True, begin=0, end=1, convert_to_iter_based=True),
    dict(type=CosineAnnealingLR, T_max=9, by_epoch=True, begin=1, end=10, convert_to_iter_based=True),
]
