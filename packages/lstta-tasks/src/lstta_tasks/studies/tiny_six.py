"""Methods at one budget with the tiny encoders, on six tasks, and a readout that fuses nothing; one seed.

Every method works on the last two of the four stages: adapters stand after the third and after the fourth block, LoRA
and CoLA change the fourth, and prompts, on two tasks, stand before it. Rates are
those of the main table's search; where it has none for a task, emotion's.

cost:     lstta compare tiny_six --list; about two and a half core hours, before them --prepare, half an hour
results:  docs/studies.md
"""


def _task(name: str, *, folder: str, clips: str, epochs: int, seconds: float) -> dict[str, object]:
    """A task on its built-in clips, from cached states; seconds are those of LSTTA."""
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
        prepare=[f"generate {name} --out ROOT {clips}", "cache build CONFIG"],
    )


budget = 190_000
seeds = (0,)
settings = {"model.adapted": 2, "model.readout.guided": False, "loader.workers": 0}
tasks = {
    "moments": _task("moments", folder="moments", clips="--train 2000 --val 200 --test 300", epochs=4, seconds=350),
    "emotion": _task(
        "emotion", folder="emotion_large", clips="--train 4000 --val 300 --test 1600", epochs=6, seconds=130
    ),
    "avqa": _task("avqa", folder="avqa", clips="--train 900 --val 60 --test 200", epochs=7, seconds=250),
    "inference": _task(
        "inference", folder="inference", clips="--train 900 --val 100 --test 200", epochs=4, seconds=200
    ),
    "sentiment": _task(
        "sentiment", folder="sentiment", clips="--train 2000 --val 300 --test 400", epochs=8, seconds=120
    ),
    "humor": _task("humor", folder="humor", clips="--train 1800 --val 240 --test 480", epochs=8, seconds=120),
}
_lstta = dict(name="lstta", budget=budget)
_LAST = r"blocks\.3\.(qkv|out|mlp\.[02])"
methods = {
    "none": dict(label="readout only", method=dict(name="none"), cost=0.4),
    "layers": dict(label="readout of mixed layers", method=dict(name="layers"), cost=0.5),
    "bottleneck": dict(label="bottleneck", method=dict(name="bottleneck", budget=budget), cost=0.7),
    "lavish": dict(label="LAVISH", method=dict(name="lavish", budget=budget)),
    "dgsct": dict(label="DG-SCT", method=dict(name="dgsct", budget=budget), cost=1.2),
    "moka": dict(label="MokA", method=dict(name="moka", budget=budget)),
    "lora": dict(label="LoRA", method=dict(name="lora", budget=budget, target=_LAST), cost=0.7),
    "cola": dict(label="CoLA", method=dict(name="cola", budget=budget, target=_LAST)),
    "prompt": dict(
        label="prompt tuning", method=dict(name="prompt", budget=budget), cost=12.0, tasks=("emotion", "humor")
    ),
    "long": dict(label="LSTTA, long-term alone", method=dict(**_lstta, short_term=False)),
    "short": dict(label="LSTTA, short-term alone", method=dict(**_lstta, long_term=False)),
    "lstta": dict(label="LSTTA", method=_lstta),
}
found = dict(key="optim_wrapper.optimizer.lr", study="main", tasks={"sentiment": "emotion", "humor": "emotion"})
