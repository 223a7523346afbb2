"""DINOv2-S on frames of 16:9, Whisper tiny and MiniLM from the hub, with adapters at the last two of four stages.

A config sets how many seconds of sound a clip has, and how long its texts may be: encoders.audio.update(seconds=8.0).
"""

encoders = dict(
    visual=dict(name="hf-visual", model="facebook/dinov2-small", size=(126, 224)),
    audio=dict(name="hf-audio", model="openai/whisper-tiny.en", span="clip"),
    language=dict(name="hf-language", model="sentence-transformers/all-MiniLM-L6-v2"),
)
model = dict(stages=4, adapted=2, readout=dict(width=256, heads=4))
