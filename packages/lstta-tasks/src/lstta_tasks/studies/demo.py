"""The demo's task with its peers: methods at one budget, the tiny encoders, a readout that fuses nothing.

`lstta demo` prints bottleneck and LoRA from here beside what it trains itself. Adapters stand behind all blocks; LoRA
changes the last block, with a cache of its own.

cost:     not made yet; --prepare is what `make demo` does before it trains
results:  pending
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
methods = {
    "none": dict(label="readout only", method=dict(name="none"), cost=0.3),
    "bottleneck": dict(label="bottleneck", method=dict(name="bottleneck", budget=budget), cost=0.5),
    "lora": dict(
        label="LoRA",
        method=dict(name="lora", budget=budget, target=r"blocks\.3\.(qkv|out|mlp\.[02])"),
        settings={"model.adapted": 2},
        prefix="_from_third",
        cost=3.0,
    ),
    "long": dict(label="LSTTA, long-term alone", method=dict(**_lstta, short_term=False), cost=0.8),
    "short": dict(label="LSTTA, short-term alone", method=dict(**_lstta, long_term=False), cost=0.9),
    "lstta": dict(label="LSTTA", method=_lstta),
}
search = dict(key="optim_wrapper.optimizer.lr", values=(3e-4, 1e-3, 3e-3), tasks=("played",), seed=0)
