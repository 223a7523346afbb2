"""Methods at one budget on built-in clips, with a readout that fuses nothing.

The study of tiny.py, but the readout is a probe: it adds up the means of the three modalities, so that what they say
about each other must come from adapters. It takes longer, so avqa has five epochs in place of two.

cost:     63 runs, HOURS; data and caches are tiny.py's
results:  docs/studies.md
"""


def _task(name: str, *, folder: str, clips: str, epochs: int, seconds: float) -> dict[str, object]:
    """A task on its built-in clips, from cached states, with the learning rate's course over all epochs."""
    root, cache = f"data/built-in/{folder}", f"data/cache/{folder}_tiny"
    course = ("train_cfg.max_epochs", "param_scheduler.1.T_max", "param_scheduler.1.end")
    return dict(
        config=f"../configs/{name}/tiny_lstta.py",
        seconds=seconds,
        settings={
            "task.root": root,
            "clips.cache": cache,
            "clips.features": f"{cache}_last2",
            **dict.fromkeys(course, epochs),
        },
        prepare=[
            f"generate.py {name} --out {root} {clips}",
            "cache.py build CONFIG",
        ],
    )


_LAST = r"blocks\.3\.(qkv|out|mlp\.[02])"

budget = 190_000
seeds = (0, 1, 2)
settings = {"model.adapted": 2, "model.readout.guided": False, "loader.workers": 0}
tasks = {
    "emotion": _task(
        "emotion", folder="emotion_large", clips="--train 4000 --val 300 --test 1600", epochs=3, seconds=70
    ),
    "avqa": _task("avqa", folder="avqa", clips="--train 900 --val 60 --test 200", epochs=5, seconds=180),
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
