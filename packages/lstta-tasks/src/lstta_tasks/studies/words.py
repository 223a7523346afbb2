"""Answers in words on built-in clips: LSTTA, without sound, without sight, and what is heard through a preface alone.

The tiny speaker is the language encoder of all but avqa's classifier, which is asked the questions of open-qa.

cost:     lstta compare words --list; about an hour of one core
results:  docs/tasks/captioning.md and docs/tasks/open-qa.md
"""

seeds = (0,)
settings = {"loader.workers": 0}
_questions = dict(
    seconds=300,
    settings={"train_cfg.max_epochs": 5},
    prepare=["generate avqa --out ROOT --train 300 --val 40 --test 150", "cache build CONFIG"],
)
tasks = {
    "captioning": dict(
        config="captioning/tiny_lstta",
        seconds=500,
        settings={"train_cfg.max_epochs": 6},
        prepare=["generate retrieval --out ROOT --train 400 --val 32 --test 128", "cache build CONFIG"],
    ),
    "open-qa": dict(config="open-qa/tiny_lstta", **_questions),
    "avqa": dict(config="avqa/tiny_lstta", **_questions),
}
_lstta = dict(name="lstta", width=48)
methods = {
    "lstta": dict(label="LSTTA", method=_lstta),
    "means": dict(label="means before the prompt", method=dict(name="means"), tasks=("captioning", "open-qa")),
    "deaf": dict(
        label="LSTTA without sound",
        method=_lstta,
        settings={"model.modalities": ["visual", "language"]},
        tasks=("captioning",),
    ),
    "blind": dict(
        label="LSTTA without sight",
        method=_lstta,
        settings={"model.modalities": ["audio", "language"]},
        tasks=("captioning",),
    ),
}
