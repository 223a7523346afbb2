"""Methods at one budget on the built-in clips, with DINOv2-S, Whisper tiny and MiniLM.

Adapters stand at the last of four stages, behind all blocks, so that everything before them is read from a cache of
states; methods that train inside the encoders have nothing to train there. Nothing is searched: all have the config's
learning rate.

offline:  add --where encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
"""

budget = 170_000
seeds = (0, 1)
settings = {"model.adapted": 1, "loader.workers": 0}
tasks = {
    "avqa": dict(
        config="../configs/avqa/pretrained_lstta.py",
        seconds=100,
        settings={
            "task.root": "data/built-in/avqa_small",
            "clips.cache": "data/cache/avqa_pretrained_small",
            "clips.features": "data/cache/avqa_pretrained_small_last",
        },
        prepare=[
            "generate.py avqa --out data/built-in/avqa_small --train 400 --val 60 --test 100",
            "cache.py build CONFIG --cfg-options task.root=data/built-in/avqa_small "
            "clips.cache=data/cache/avqa_pretrained_small",
        ],
    ),
}
methods = {
    "none": dict(label="readout only", method=dict(name="none")),
    "bottleneck": dict(label="bottleneck", method=dict(name="bottleneck", budget=budget)),
    "lavish": dict(label="LAVISH", method=dict(name="lavish", budget=budget)),
    "long": dict(label="LSTTA, long-term alone", method=dict(name="lstta", budget=budget, short_term=False)),
    "short": dict(label="LSTTA, short-term alone", method=dict(name="lstta", budget=budget, long_term=False)),
    "lstta": dict(label="LSTTA", method=dict(name="lstta", budget=budget)),
}
