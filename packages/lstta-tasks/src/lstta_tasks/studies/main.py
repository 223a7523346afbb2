"""The main table: methods at one budget, with DINOv2-S, Whisper tiny and MiniLM and a readout that fuses nothing.

Adapters stand at the last of four stages, behind all blocks, so that everything before them is read from a cache of
states. Five methods begin a stage earlier, with a cache of their own: LoRA, CoLA and prompts, which need blocks behind
their prefix, the mix of layers, which needs layers to mix, and LSTTA once more, to be compared with those. They run the
last quarter of the blocks in each step; for what that costs they are on two tasks, prompts on one, and three of them
have one seed. Every rate is searched on each task, because a borrowed one distorts what adapters bring (decision 9).
The search has seed 0; then come the other seeds, one after the other.

cost:     lstta compare main --list; about 54 core hours; before them --prepare, an hour, and the caches of states
results:  docs/studies.md
offline:  add --where encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
"""


def _task(
    name: str, *, folder: str, clips: str, segments: int, words: int, epochs: int, seconds: float, **more: object
) -> dict[str, object]:
    """A task on its built-in clips, from cached states; seconds are those of LSTTA."""
    root, cache = f"data/built-in/{folder}", f"data/cache/{folder}_pretrained"
    return dict(
        config=f"{name}/pretrained_lstta",
        seconds=seconds,
        settings={
            "task.root": root,
            "encoders.visual.size": (56, 84),
            "encoders.audio.seconds": float(segments),
            "encoders.language.max_length": words,
            "clips.segments": segments,
            "clips.sound_seconds": 1.0,
            "clips.cache": cache,
            "clips.codec": "raw",
            "clips.prefix": f"{cache}_last",
            "schedule.warmup_steps": 50,
            "train_cfg.max_epochs": epochs,
            **more,
        },
        prepare=[f"generate {name} --out ROOT {clips}", "cache build CONFIG"],
    )


_LAST = dict(
    visual=r"(.*\.)?layer\.(9|10|11)\..*(q_proj|v_proj)",
    audio=r"(.*\.)?layers\.3\..*(q_proj|v_proj)",
    language=r"(.*\.)?layer\.5\..*(query|value)",
)
"""Queries and values of the blocks between the third and the fourth stage."""

budget = 170_000
seeds = (0, 1, 2)
settings = {
    "model.adapted": 1,
    "model.readout.width": 128,
    "model.readout.guided": False,
    "loader.workers": 0,
    "loader.batch_size": 32,
}
tasks = {
    "moments": _task(
        "moments",
        folder="moments",
        clips="--train 2000 --val 200 --test 300",
        segments=8,
        words=24,
        epochs=8,
        seconds=1000,
    ),
    "emotion": _task(
        "emotion",
        folder="emotion_large",
        clips="--train 4000 --val 300 --test 1600",
        segments=4,
        words=64,
        epochs=8,
        seconds=190,
        **{"task.context": 3},
    ),
    "avqa": _task(
        "avqa",
        folder="avqa",
        clips="--train 900 --val 60 --test 200",
        segments=8,
        words=32,
        epochs=7,
        seconds=450,
    ),
    "inference": _task(
        "inference",
        folder="inference",
        clips="--train 900 --val 100 --test 200",
        segments=4,
        words=64,
        epochs=8,
        seconds=400,
        **{"encoders.audio.seconds": 8.0, "clips.sound_seconds": 2.0},
    ),
}
_lstta = dict(name="lstta", budget=budget)
_earlier = dict(
    settings={"model.adapted": 2},
    prefix="_from_third",
    tasks=("moments", "emotion"),
    searched=("emotion", "moments"),  # a study that takes what is found here takes emotion's for its other tasks
)
methods = {
    "none": dict(label="readout only", method=dict(name="none"), cost=0.3),
    "bottleneck": dict(label="bottleneck", method=dict(name="bottleneck", budget=budget), cost=0.75),
    "lavish": dict(label="LAVISH", method=dict(name="lavish", budget=budget), cost=1.2),
    "dgsct": dict(label="DG-SCT", method=dict(name="dgsct", budget=budget), cost=1.5),
    "moka": dict(label="MokA", method=dict(name="moka", budget=budget), cost=1.0),
    "long": dict(label="LSTTA, long-term alone", method=dict(**_lstta, short_term=False)),
    "short": dict(label="LSTTA, short-term alone", method=dict(**_lstta, long_term=False)),
    "lstta": dict(label="LSTTA", method=_lstta),
    "layers": dict(label="readout of mixed layers", method=dict(name="layers"), cost=2.7, seeds=(0,), **_earlier),
    "lora": dict(label="LoRA", method=dict(name="lora", budget=budget, target=_LAST), cost=5.0, seeds=(0,), **_earlier),
    "cola": dict(
        label="CoLA", method=dict(name="cola", budget=budget, target=_LAST, reduction=64), cost=6.0, **_earlier
    ),
    "prompt": dict(
        label="prompt tuning",
        method=dict(name="prompt", budget=budget),
        cost=40.0,
        seeds=(0,),
        **_earlier | dict(tasks=("emotion",), searched=("emotion",)),
    ),
    "earlier": dict(label="LSTTA, last two stages", method=_lstta, cost=5.0, **_earlier),
}
search = dict(
    key="optim_wrapper.optimizer.lr",
    values=(1e-3, 3e-4, 3e-3),
    beyond=(1e-4, 1e-2),
    tasks=tuple(tasks),
    seed=0,
)
