"""What a bake-off does not show, as far as its own summary tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sluicegate.reporting.bake_off.order import Row, Summary

NO_ARMS = "Nothing was trained, so what the chosen rows are worth to a model was not measured."
NO_FAULTS = "No fault is known in this pool, so nothing tells how many of the chosen rows are clean."
PLANTED = (
    "The faults are known, as nearly always because they were planted; no signal and no rule reads them. What is wrong "
    "with other data may be of another kind."
)
AUROC = (
    "A high AUROC does not by itself train a better model: it says that faults are found, not that what is left is "
    "what the model needs. Read it beside the arms."
)
SMALL = (
    "The arms are short trainings that stand in for a long one; another model or a longer training can reorder them."
)
OVERLAP = (
    "The interval of a result is of that arm alone. Whether an arm beats its control is for its gain to say: both are "
    "asked the same questions, so that their intervals may overlap and the gain still be clear of 0."
)
LEARNT_FIRST = (
    "What a signal learns before it scores, as in a gate's warm-up, is charged to these rows: over a pool ten times as "
    "large it weighs a tenth."
)
ONE_SEED = (
    "An arm trained with one seed has an interval over the test questions only, which leaves out what another seed "
    "would change."
)


def caveats(summary: Summary) -> list[str]:
    """Each in a sentence or two."""
    return [*_of_arms(summary), *_of_signals(summary)]


def _of_arms(summary: Summary) -> Iterator[str]:
    if not summary["arms"]:
        yield NO_ARMS
        return
    once = [f"{arm['arm']} ({arm['budget']})" if arm["budget"] else arm["arm"] for arm in _trained_once(summary)]
    if once:
        yield f"{ONE_SEED} This holds for {'every arm' if len(once) == len(summary['arms']) else _listed(once)}."
    yield SMALL
    yield OVERLAP
    if unpriced := [signal["signal"] for signal in summary["signals"] if signal["forward_units"] is None]:
        yield f"Not in the picture of cost, for theirs is not known: {_listed(unpriced)}."


def _trained_once(summary: Summary) -> list[Row]:
    return [arm for arm in summary["arms"] if arm["seeds"] == 1]


def _of_signals(summary: Summary) -> Iterator[str]:
    judged = any(signal["auroc"] is not None for signal in summary["signals"])
    yield PLANTED if judged else NO_FAULTS
    if any(signal["uses_trusted"] and signal["forward_units"] for signal in summary["signals"]):
        yield LEARNT_FIRST
    if judged and summary["arms"]:
        yield AUROC


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
