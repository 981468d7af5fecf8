"""No reason is counted at a step that does not give it."""

from __future__ import annotations

import re
from pathlib import Path

import sluicegate
from sluicegate.data.steps import STEPS, step_of

DATA = Path(sluicegate.__file__).with_name("data")


def reasons(*names: str) -> set[str]:
    """The kinds of reason that some modules give."""
    text = "".join(p.read_text(encoding="utf-8") for name in names for p in sorted(DATA.glob(name)))
    return set(re.findall(r"""(?:Unfit\(|return |None, |= )f?"([a-z' ]+): """, text))


def test_every_reason_that_is_given_is_counted_at_the_step_that_gives_it() -> None:
    clean = reasons("normalize.py", "clean/*.py") | {"no assistant turn"}
    shape = reasons("shapes/*.py", "intake.py") - clean
    assert len(clean) > 5
    assert len(shape) > 10
    assert {step_of(kind, unread=False, record=False) for kind in clean} == {"clean"}
    assert {step_of(kind, unread=False, record=False) for kind in shape} == {"shape"}


def test_the_others_are_known_by_how_they_begin() -> None:
    told = ("duplicate", "near duplicate", "in the test rows", "contaminated", "other part", "mix", "sample")
    steps = [step_of(kind, unread=False, record=True) for kind in told]
    assert steps == ["dedup", "dedup", "exclude", "decontaminate", "split", "mix", "mix"]
    assert step_of("too long", unread=True, record=False) == "read"
    assert next(iter(STEPS)) == "read"
