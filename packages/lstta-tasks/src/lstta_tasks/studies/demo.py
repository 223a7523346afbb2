"""The demo's task with its peers: methods at one budget, the tiny encoders, a readout that fuses nothing.

`lstta demo` prints bottleneck and LoRA from here beside what it trains itself. Adapters stand behind all blocks; LoRA
and CoLA change the last block, and prompts stand before it, with a cache of its own.

cost:     lstta compare demo --list; --prepare is what `make demo` does before it trains
results:  docs/studies.md, as far as it is made
"""

budget = 98_000
seeds = (0, 1, 2)
settings = {"loader.workers": 0}
tasks = {
    "played": dict(
        config="moments/played_lstta",
        seconds=200,
        settings={"train_cfg.val_interval": 1},
        prepare=["generate played --out ROOT --train 1500 --val 60 --test 200", "cache build CONFIG"],
    )
}
_lstta = dict(name="lstta", budget=budget)
_LAST = r"blocks\.3\.(qkv|out|mlp\.[02])"
_earlier = dict(settings={"model.adapted": 2}, prefix="_from_third")
methods = {
    "none": dict(label="readout only", method=dict(name="none"), cost=0.3),
    "bottleneck": dict(label="bottleneck", method=dict(name="bottleneck", budget=budget), cost=0.5),
    "lora": dict(label="LoRA", method=dict(name="lora", budget=budget, target=_LAST), cost=3.0, **_earlier),
    "dgsct": dict(label="DG-SCT", method=dict(name="dgsct", budget=budget), cost=0.8),
    "moka": dict(label="MokA", method=dict(name="moka", budget=budget), cost=0.7),
    "cola": dict(
        label="CoLA", method=dict(name="cola", budget=budget, target=_LAST, reduction=20), cost=4.0, **_earlier
    ),
    "prompt": dict(label="prompt tuning", method=dict(name="prompt", budget=budget), cost=12.0, **_earlier),
    "long": dict(label="LSTTA, long-term alone", method=dict(**_lstta, short_term=False), cost=0.8),
    "short": dict(label="LSTTA, short-term alone", method=dict(**_lstta, long_term=False), cost=0.9),
    "lstta": dict(label="LSTTA", method=_lstta),
}
search = dict(key="optim_wrapper.optimizer.lr", values=(3e-4, 1e-3, 3e-3), tasks=("played",), seed=0)
