"""Methods at one budget on built-in clips, with the tiny encoders.

Every method works on the last two of the four stages: adapters stand after the third and after the fourth block, LoRA
and full fine-tuning change the fourth block. What comes before is frozen and read from a cache of its states. So a run
is short enough to be repeated, and no method is favoured by where it stands.

cost:     138 runs, five hours of one core: emotion 20 to 75 s a run, inference 35 to 145 s, avqa 95 to
          370 s; before them --prepare, some twenty minutes
results:  docs/studies.md
"""


def _task(name: str, *, folder: str, clips: str, epochs: int, seconds: float) -> dict[str, object]:
    """A task on its built-in clips, from cached states, with the learning rate's course over all epochs."""
    root, cache = f"data/built-in/{folder}", f"data/cache/{folder}_tiny"
    return dict(
        config=f"{name}/tiny_lstta",
        seconds=seconds,
        settings={
            "task.root": root,
            "clips.cache": cache,
            "clips.prefix": f"{cache}_last2",
            "train_cfg.max_epochs": epochs,
        },
        prepare=[
            f"generate {name} --out ROOT {clips}",
            "cache build CONFIG",
        ],
    )


_LAST = r"blocks\.3\.(qkv|out|mlp\.[02])"

budget = 190_000
seeds = (0, 1, 2)
settings = {"model.adapted": 2, "loader.workers": 0, "train_cfg.val_interval": 2}
tasks = {
    "emotion": _task(
        "emotion", folder="emotion_large", clips="--train 4000 --val 300 --test 1600", epochs=3, seconds=70
    ),
    "inference": _task(
        "inference", folder="inference", clips="--train 900 --val 100 --test 200", epochs=2, seconds=100
    ),
    "avqa": _task("avqa", folder="avqa", clips="--train 900 --val 60 --test 200", epochs=7, seconds=240),
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
    "full": dict(label="full fine-tuning of the last block", method=dict(name="full", target=r"blocks\.3\..*")),
    "deaf": dict(
        label="LSTTA without sound",
        method=_lstta,
        settings={"model.modalities": ["visual", "language"]},
        like="lstta",
        tasks=("emotion", "inference"),
    ),
    "blind": dict(
        label="LSTTA without sight",
        method=_lstta,
        settings={"model.modalities": ["audio", "language"]},
        like="lstta",
        tasks=("emotion", "inference"),
    ),
    "wordless": dict(
        label="LSTTA without words",
        method=_lstta,
        settings={"model.modalities": ["visual", "audio"]},
        like="lstta",
        tasks=("emotion", "inference"),
    ),
}
search = dict(key="optim_wrapper.optimizer.lr", values=(1e-3, 2e-3, 4e-3), tasks=tuple(tasks), seed=0)
