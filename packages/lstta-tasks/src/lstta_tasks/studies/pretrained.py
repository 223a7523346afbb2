"""Methods at one budget on built-in clips, with DINOv2-S, Whisper tiny and MiniLM.

Adapters stand at the last of four stages, behind all blocks, so that everything before them is read from a cache of
states; methods that train inside the encoders have nothing to train there.

cost:     57 runs, an hour of one core: emotion 25 to 75 s a run, avqa 40 to 150 s; before them --prepare, some ten
          minutes, and the two caches of states, as long again
results:  docs/studies.md
offline:  add --where encoders.visual.model=DIR encoders.audio.model=DIR encoders.language.model=DIR
"""


def _task(
    name: str, *, folder: str, clips: str, segments: int, words: int, epochs: int, seconds: float, **more: object
) -> dict[str, object]:
    """A task on its built-in clips, from cached states: small frames, and a second of sound for each segment."""
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
            **more,
            "clips.sound_seconds": 1.0,
            "clips.cache": cache,
            "clips.codec": "raw",
            "clips.prefix": f"{cache}_last",
            "schedule.warmup_steps": 50,
            "train_cfg.max_epochs": epochs,
        },
        prepare=[
            f"generate {name} --out ROOT {clips}",
            "cache build CONFIG",
        ],
    )


budget = 170_000
seeds = (0, 1, 2)
settings = {"model.adapted": 1, "model.readout.width": 128, "loader.workers": 0, "loader.batch_size": 32}
tasks = {
    "emotion": _task(
        "emotion",
        folder="emotion_large",
        clips="--train 4000 --val 300 --test 1600",
        segments=4,
        words=64,
        epochs=3,
        seconds=60,
        **{"task.context": 3},
    ),
    "avqa": _task(
        "avqa", folder="avqa", clips="--train 900 --val 60 --test 200", segments=8, words=32, epochs=2, seconds=100
    ),
}
_lstta = dict(name="lstta", budget=budget)
methods = {
    "none": dict(label="readout only", method=dict(name="none")),
    "bottleneck": dict(label="bottleneck", method=dict(name="bottleneck", budget=budget)),
    "lavish": dict(label="LAVISH", method=dict(name="lavish", budget=budget)),
    "long": dict(label="LSTTA, long-term alone", method=dict(**_lstta, short_term=False)),
    "short": dict(label="LSTTA, short-term alone", method=dict(**_lstta, long_term=False)),
    "lstta": dict(label="LSTTA", method=_lstta),
    "deaf": dict(
        label="LSTTA without sound",
        method=_lstta,
        settings={"model.modalities": ["visual", "language"]},
        like="lstta",
        tasks=("emotion",),
    ),
    "blind": dict(
        label="LSTTA without sight",
        method=_lstta,
        settings={"model.modalities": ["audio", "language"]},
        like="lstta",
        tasks=("emotion",),
    ),
    "wordless": dict(
        label="LSTTA without words",
        method=_lstta,
        settings={"model.modalities": ["visual", "audio"]},
        like="lstta",
        tasks=("emotion",),
    ),
}
search = dict(key="optim_wrapper.optimizer.lr", values=(1e-3, 2e-3, 4e-3), tasks=("emotion",), seed=0)
