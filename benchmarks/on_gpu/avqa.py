"""The config of the row that trains through the loader; gpu.py says where the prepared cache is."""

from random_encoders import audio, language, visual
from torch.optim import AdamW

seed = 0
log_interval = 10
task = dict(name="avqa", root="avqa")
encoders = dict(
    visual=dict(type=visual, size="base"),
    audio=dict(type=audio, size="base"),
    language=dict(type=language, size="base"),
)
method = dict(name="lstta", width=64)
model = dict(frozen_dtype="bfloat16")
clips = dict(segments=8, sound_seconds=1.0, fit="squash", cache="cache", codec="jpeg")
loader = dict(batch_size=16, workers=8)
optim_wrapper = dict(optimizer=dict(type=AdamW, lr=1e-4, weight_decay=0.01, fused=True), clip_grad=dict(max_norm=1.0))
train_cfg = dict(max_epochs=1, val_interval=1)
schedule = dict(decay="none")
