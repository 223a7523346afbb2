"""Methods at one budget on built-in clips, with a readout that fuses nothing.

The study of tiny.py, but the readout is a probe: it adds up the means of the three modalities, so that what they say
about each other must come from adapters.

cost:     35 runs, half an hour of one core; its clips and caches are those of tiny.py
results:  docs/studies.md
"""

_LAST = r"blocks\.3\.(qkv|out|mlp\.[02])"

budget = 190_000
seeds = (0, 1, 2)
settings = {"model.adapted": 2, "model.readout.guided": False, "loader.workers": 0}
tasks = {
    "emotion": dict(
        config="emotion/tiny_lstta",
        seconds=70,
        settings={
            "task.root": "data/built-in/emotion_large",
            "clips.cache": "data/cache/emotion_large_tiny",
            "clips.prefix": "data/cache/emotion_large_tiny_last2",
            "train_cfg.max_epochs": 3,
        },
        prepare=[
            "generate emotion --out ROOT --train 4000 --val 300 --test 1600",
            "cache build CONFIG",
        ],
    )
}
_lstta = dict(name="lstta", budget=budget)
methods = {
    "none": dict(label="readout only", method=dict(name="none")),
    "bottleneck": dict(label="bottleneck", method=dict(name="bottleneck", budget=budget)),
    "lavish": dict(label="LAVISH", method=dict(name="lavish", budget=budget)),
    "lora": dict(label="LoRA", method=dict(name="lora", budget=budget, target=_LAST)),
    "long": dict(label="LSTTA, long-term alone", method=dict(**_lstta, short_term=False)),
    "short": dict(label="LSTTA, short-term alone", method=dict(**_lstta, long_term=False)),
    "lstta": dict(label="LSTTA", method=_lstta),
}
search = dict(key="optim_wrapper.optimizer.lr", values=(1e-3, 2e-3, 4e-3), tasks=("emotion",), seed=0)
