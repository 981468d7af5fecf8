"""The summary of a bake-off that never ran: thirteen signals, two rules, two budgets and their controls."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

FAULTS = {
    "clean": 800,
    "mismatch": 171,
    "number": 172,
    "truncate": 171,
    "swap": 172,
    "replace": 171,
    "gibberish": 171,
    "repeat": 172,
}
SIGNALS = {
    "gate": (True, 2.41, 0.971, 0.13),
    "reference": (True, 2.12, 0.912, 0.12),
    "excess": (True, 3.08, 0.903, 0.10),
    "boost": (True, 1.04, 0.934, 0.07),
    "probe": (True, 1.02, 0.848, 0.04),
    "less": (True, 19.7, 0.824, 0.05),
    "rds": (True, 1.21, 0.611, 0.005),
    "perplexity": (False, 1.0, 0.752, 0.02),
    "ifd": (False, 1.65, 0.741, 0.025),
    "arithmetic": (False, 0.0, 0.566, 0.015),
    "length": (False, 0.0, 0.433, -0.055),
    "random": (False, 0.0, 0.502, 0.001),
    "deita": (False, None, 0.689, 0.012),
}
"""Whether it uses trusted rows, its cost, its AUROC and its gain at most."""
RULES = {"plain": 0.7, "clusters": 1.0}
"""How much of a signal's gain a rule brings out."""
BUDGETS = {"20 % of rows": (400, 24_310), "20 % of label tokens": (389, 24_691)}
WIDTH = 0.034
"""Half of a simultaneous interval."""


def bake_off(metric: str = "accuracy", faults: bool = True, arms: bool = True, seeds: int = 5) -> dict[str, Any]:
    """A whole one, or one without what is asked to be missing."""
    dice = random.Random(0)
    trained = [arm for budget in BUDGETS for arm in _at(budget, metric, seeds, dice)] + _unbound(metric, seeds)
    return {
        "title": "Which rows are worth training on?",
        "advice": "At 20 % of rows gate with clusters and reference with clusters beat random with the same trusted "
        "rows, by +13.4 points [+10.0, +16.8] at most, and are not told apart; rds is within noise.",
        "metric": metric if arms else None,
        "pool": {
            "id": "messages-3f2a9c41d07e",
            "rows": 2000,
            "label_tokens": 123_456,
            "faults": FAULTS if faults else {},
        },
        "shares": [0.1, 0.2, 0.3],
        "signals": [_signal(name, faults, dice) for name in SIGNALS],
        "arms": trained if arms else [],
    }


def renamed(found: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same with other names for some signals and rules; `title`, `advice` and what a budget is called too."""
    signals = [{**signal, "signal": names.get(signal["signal"], signal["signal"])} for signal in found["signals"]]
    arms = [
        {**arm, **{key: names.get(arm[key], arm[key]) for key in ("signal", "rule", "budget")}} for arm in found["arms"]
    ]
    arms = [arm if arm["control"] else {**arm, "arm": f"{arm['signal']}, {arm['rule']}"} for arm in arms]
    told = {key: names.get(key, found[key]) for key in ("title", "advice")}
    return {**found, **told, "signals": signals, "arms": arms}


def _signal(name: str, faults: bool, dice: random.Random) -> dict[str, Any]:
    trusted, cost, auroc, _ = SIGNALS[name]
    near = {fault: round(min(0.999, auroc + dice.uniform(-0.12, 0.1)), 4) for fault in FAULTS if fault != "clean"}
    clean = {
        rule: {f"{s:g}": round(min(1, auroc * (1.02 - s / 4) + 0.01 * n), 4) for s in (0.1, 0.2, 0.3)}
        for n, rule in enumerate(RULES)
    }
    unscored = {"arithmetic": {"no equation in the response": 731}, "deita": {"no answer in three tries": 4}}
    why = unscored.get(name, {"no response token left": 10} if cost else {})
    return {
        "signal": name,
        "uses_trusted": trusted,
        "forward_units": cost,
        "seconds": None if cost is None else round(5.1 * cost + 0.2, 2),
        "scored": 2000 - sum(why.values()),
        "unscored_why": why,
        "auroc": auroc if faults else None,
        "by_fault": near if faults else None,
        "precision": round(auroc - 0.09, 4) if faults else None,
        "precision_by_fault": {fault: round(value - 0.2, 4) for fault, value in near.items()} if faults else None,
        "clean_share": clean if faults else None,
    }


def _at(budget: str, metric: str, seeds: int, dice: random.Random) -> list[dict[str, Any]]:
    """The arms of one budget, its two random controls first."""
    told = {"budget": budget, "metric": metric, "seeds": seeds}
    controls = {
        False: _arm("random", 0.452, trusted=False, **told),
        True: _arm("random, with trusted rows", 0.481, trusted=True, **told),
    }
    arms = list(controls.values())
    for signal, (trusted, _, _, most) in SIGNALS.items():
        for rule, part in RULES.items():
            gain = round(most * part + dice.uniform(-0.008, 0.008), 4)
            against = controls[trusted]
            base = 0.481 if trusted else 0.452
            arms.append(_arm(f"{signal}, {rule}", base + gain, signal=signal, rule=rule, trusted=trusted, **told))
            arms[-1] |= {"against": against["arm"], "gain": {"mean": gain, "low": gain - WIDTH, "high": gain + WIDTH}}
            arms[-1] |= {"verdict": "better" if gain > WIDTH else "worse" if gain < -WIDTH else "within noise"}
            arms[-1] |= {"ties_with_best": gain > 0.1 if gain > WIDTH else None}
    return arms


def _unbound(metric: str, seeds: int) -> list[dict[str, Any]]:
    """The controls that no budget binds."""
    told = {"budget": "", "metric": metric, "seeds": seeds}
    every = {"rows": 2000.0, "label_tokens": 123_456.0, "steps": 500.0}
    few = {"rows": 150.0, "label_tokens": 9_120.0, "steps": 40.0}
    return [
        {**_arm("all rows", 0.476, trusted=False, **told), **every},
        {**_arm("trusted rows alone", 0.389, trusted=True, **told), **few},
    ]


def _arm(
    name: str,
    value: float,
    budget: str,
    metric: str,
    seeds: int,
    trusted: bool,
    signal: str | None = None,
    rule: str | None = None,
) -> dict[str, Any]:
    rows, tokens = BUDGETS.get(budget, (0, 0))
    value = round(value if metric == "accuracy" else 2.1 - value, 4)
    cost = SIGNALS[signal][1] if signal else 0.0
    return {
        "arm": name,
        "signal": signal,
        "rule": rule,
        "budget": budget,
        "trusted": trusted,
        "control": signal is None,
        "rows": float(rows + 150 * trusted),
        "label_tokens": float(tokens + 9_120 * trusted),
        "steps": 160.0,
        "seeds": seeds,
        "metric": metric,
        metric: value,
        "low": round(value - 0.029, 4),
        "high": round(value + 0.031, 4),
        "per_seed": [round(value + 0.01 * (n - (seeds - 1) / 2), 4) for n in range(seeds)],
        "against": None,
        "gain": None,
        "verdict": None,
        "ties_with_best": None,
        "forward_units": cost,
        "seconds": None if cost is None else round(5.1 * cost + 0.2, 2),
    }
