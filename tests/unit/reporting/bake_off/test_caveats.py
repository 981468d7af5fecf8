from __future__ import annotations

from fake_bake_off import bake_off
from sluicegate.reporting.bake_off.caveats import (
    AUROC,
    LEARNT_FIRST,
    NO_ARMS,
    NO_FAULTS,
    ONE_SEED,
    OVERLAP,
    PLANTED,
    SMALL,
    caveats,
)

UNPRICED = "Not in the picture of cost, for theirs is not known: deita."


def test_what_each_summary_does_not_show() -> None:
    assert caveats(bake_off()) == [SMALL, OVERLAP, UNPRICED, PLANTED, LEARNT_FIRST, AUROC]
    assert caveats(bake_off(faults=False)) == [SMALL, OVERLAP, UNPRICED, NO_FAULTS, LEARNT_FIRST]
    assert caveats(bake_off(arms=False)) == [NO_ARMS, PLANTED, LEARNT_FIRST]
    assert caveats(bake_off(arms=False, faults=False)) == [NO_ARMS, NO_FAULTS, LEARNT_FIRST]


def test_one_seed_is_told_of_whom_it_concerns() -> None:
    assert caveats(bake_off(seeds=1))[0] == f"{ONE_SEED} This holds for every arm."
    full = bake_off()
    few = [arm | {"seeds": 1} if arm["arm"] in ("gate, plain", "all rows") else arm for arm in full["arms"]]
    told = "gate, plain (20 % of rows), gate, plain (20 % of label tokens) and all rows"
    assert caveats({**full, "arms": few})[0] == f"{ONE_SEED} This holds for {told}."


def test_where_nothing_was_learnt_first_nothing_is_charged_for_it() -> None:
    summary = bake_off()
    untaught = [signal | {"uses_trusted": False} for signal in summary["signals"]]
    assert LEARNT_FIRST not in caveats({**summary, "signals": untaught})
