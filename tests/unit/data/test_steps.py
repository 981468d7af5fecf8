"""No reason is counted at a step that does not give it."""

from __future__ import annotations

import re
from pathlib import Path

import sluicegate
from sluicegate.data.intake import Candidate
from sluicegate.data.readers import Row
from sluicegate.data.steps import STEPS, step_of
from sluicegate.schema import make_record

DATA = Path(sluicegate.__file__).with_name("data")


def reasons(*names: str) -> set[str]:
    """The kinds of reason that some modules give."""
    text = "".join(p.read_text(encoding="utf-8") for name in names for p in sorted(DATA.glob(name)))
    return set(re.findall(r"""(?:Unfit\(|return |None, |= )f?"([a-z' ]+): """, text))


def lost(kind: str, record: bool = False, unread: bool = False, cleaned: bool = False) -> str:
    """The step at which a candidate is lost for a kind of reason."""
    made = make_record([{"role": "assistant", "content": "four"}], "s", "en") if record or cleaned else None
    row = Row(1, reason=kind if unread else "")
    return step_of(Candidate("s", "s", row, made, kind if cleaned else ""), kind)


def test_every_reason_that_is_given_is_counted_at_the_step_that_gives_it() -> None:
    tidy = reasons("normalize.py") | {"no assistant turn"}
    shape = reasons("shapes/*.py", "intake.py") - tidy
    assert len(tidy) == 3
    assert len(shape) > 10
    assert {lost(kind) for kind in tidy} == {"clean"}
    assert {lost(kind) for kind in shape} == {"shape"}
    assert {lost(kind, cleaned=True) for kind in reasons("clean/*.py")} == {"clean"}


def test_the_others_are_known_by_how_they_begin() -> None:
    told = ("duplicate", "near duplicate", "in the test rows", "contaminated", "other part", "mix", "sample")
    steps = [lost(kind, record=True) for kind in told]
    assert steps == ["dedup", "dedup", "exclude", "decontaminate", "split", "mix", "mix"]
    assert set(steps) < set(STEPS)
    assert lost("too long", unread=True) == "read"
