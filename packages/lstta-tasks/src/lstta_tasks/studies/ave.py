"""Methods at one budget on what is seen and heard in each second of built-in clips.

Twice: with the tiny encoders, and with one visual transformer for both sight and sound, which is shown pictures of the
sound and never saw one before.

Every method works on the last two of the four stages: adapters stand after the third and after the fourth block, LoRA
and CoLA change the fourth, and prompts stand before it. The readout reads each second by itself and fuses nothing, so
what sight and sound, and one second and another, tell each other passes through adapters. One rate for all, 2e-3, and
the weights after the last epoch.

cost:     lstta compare ave --list: some two hours of one core, half of them prompts; before it --prepare, some twenty
          minutes
results:  docs/studies.md
"""

_cache = "data/cache/ave_tiny"
_lstta = dict(name="lstta", budget=190_000)
_LAST = r"(visual\.)?blocks\.3\.(qkv|out|mlp\.[02])"

budget = 190_000
seeds = (0, 1, 2)
settings = {
    "model.adapted": 2,
    "model.readout.guided": False,
    "loader.workers": 0,
    "optim_wrapper.optimizer.lr": 2e-3,
    "train_cfg.val_interval": 5,
}


def _task(ending: str = "", seconds: float = 50, **more: object) -> dict[str, object]:
    return dict(
        config="ave/tiny_lstta",
        seconds=seconds,
        settings={
            "task.root": "data/built-in/ave",
            "clips.cache": _cache,
            "clips.prefix": f"{_cache}{ending}_last2",
            "train_cfg.max_epochs": 5,
            **more,
        },
        prepare=["generate ave --out ROOT --train 900 --val 100 --test 200", "cache build CONFIG"],
    )


tasks = {
    "ave": _task(),
    "one_visual": _task("_one_visual", 100, **{"encoders.audio.name": "tiny-sound-as-picture"}),
}
methods = {
    "none": dict(label="readout only", method=dict(name="none"), cost=0.3),
    "bottleneck": dict(label="bottleneck", method=dict(name="bottleneck", budget=budget), cost=0.6),
    "lavish": dict(label="LAVISH", method=dict(name="lavish", budget=budget)),
    "dgsct": dict(label="DG-SCT", method=dict(name="dgsct", budget=budget), cost=1.2),
    "moka": dict(label="MokA", method=dict(name="moka", budget=budget)),
    "lora": dict(label="LoRA", method=dict(name="lora", budget=budget, target=_LAST), cost=0.6),
    "cola": dict(label="CoLA", method=dict(name="cola", budget=budget, target=_LAST)),
    "prompt": dict(label="prompt tuning", method=dict(name="prompt", budget=budget), cost=8.0),
    "long": dict(label="LSTTA, long-term alone", method=dict(**_lstta, short_term=False)),
    "short": dict(label="LSTTA, short-term alone", method=dict(**_lstta, long_term=False)),
    "lstta": dict(label="LSTTA", method=_lstta),
}
