"""Answers in words on built-in clips: LSTTA, without sound, without sight, and what is heard through a preface alone.

The tiny speaker is the language encoder of all but avqa's classifier, which is asked the questions of open-qa.

cost:     lstta compare words --list; forty minutes of one core
results:  docs/tasks/captioning.md and docs/tasks/open-qa.md
"""

seeds = (0,)
settings = {"model.adapted": 2, "loader.workers": 0}


def _task(
    config: str, *, generator: str, clips: str, epochs: int, seconds: float, rate: float, more: str = ""
) -> dict[str, object]:
    """A task on its built-in clips, from cached states of sight and sound; seconds are those of LSTTA."""
    name = config.removesuffix("/tiny_lstta")
    return dict(
        config=config,
        seconds=seconds,
        settings={
            "task.root": f"data/built-in/{generator}{more}_words",
            "clips.cache": f"data/cache/{generator}{more}_words",
            "clips.prefix": f"data/cache/{name}{more}_words_last2",
            "train_cfg.max_epochs": epochs,
            "optim_wrapper.optimizer.lr": rate,
        },
        prepare=[f"generate {generator} --out ROOT {clips}", "cache build CONFIG"],
    )


_captions = dict(config="captioning/tiny_lstta", generator="retrieval", rate=1e-3)
_questions = dict(generator="avqa", clips="--train 300 --val 40 --test 150", epochs=5, seconds=75)
tasks = {
    "captioning": _task(**_captions, clips="--train 400 --val 32 --test 128", epochs=6, seconds=90),
    "more_clips": _task(**_captions, clips="--train 1200 --val 32 --test 128", epochs=12, seconds=540, more="_more"),
    "open-qa": _task("open-qa/tiny_lstta", **_questions, rate=5e-3),
    "avqa": _task("avqa/tiny_lstta", **_questions, rate=1e-3),
}
_lstta = dict(name="lstta", width=48)
methods = {
    "lstta": dict(label="LSTTA", method=_lstta),
    "means": dict(
        label="means before the prompt, a token a segment", method=dict(name="means"), cost=0.5, tasks=("captioning",)
    ),
    "clip": dict(
        label="means before the prompt, a token a clip",
        method=dict(name="means", of="clip"),
        settings={"optim_wrapper.optimizer.lr": 4e-3},
        cost=0.4,
        tasks=("captioning",),
    ),
    "deaf": dict(
        label="LSTTA without sound",
        method=_lstta,
        settings={"model.modalities": ["visual", "language"]},
        tasks=("captioning", "more_clips"),
    ),
    "blind": dict(
        label="LSTTA without sight",
        method=_lstta,
        settings={"model.modalities": ["audio", "language"]},
        tasks=("captioning", "more_clips"),
    ),
}
