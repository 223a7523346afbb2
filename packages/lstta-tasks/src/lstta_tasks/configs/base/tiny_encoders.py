"""The three encoders of lstta-backbone-tiny, with a stage after each of their four blocks."""

encoders = dict(
    visual=dict(name="tiny-visual"),
    audio=dict(name="tiny-audio"),
    language=dict(name="tiny-language"),
)
model = dict(stages=4, readout=dict(width=128, heads=4))
