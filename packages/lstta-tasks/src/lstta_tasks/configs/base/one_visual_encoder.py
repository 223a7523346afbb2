"""One visual transformer for both sight and sound, which is shown the log-mel of each segment, and tiny-language."""

encoders = dict(
    visual=dict(name="tiny-visual"),
    audio=dict(name="tiny-sound-as-picture"),
    language=dict(name="tiny-language"),
)
model = dict(stages=4, readout=dict(width=128, heads=4))
