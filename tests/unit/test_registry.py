from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from sluicegate import registry
from sluicegate.errors import ConfigError, MissingError, UnknownName
from sluicegate.registry import CORRUPTIONS, RULES, SIGNALS, STAGES, Registry, did_you_mean


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """Entry points that a test puts in the place of the installed ones."""
    points: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: [p for p in points if p.group == group])
    return points


def point(name: str, value: str, group: str = "sluicegate.rules") -> EntryPoint:
    return EntryPoint(name, value, group)


@pytest.mark.parametrize("known", [STAGES, SIGNALS, RULES, CORRUPTIONS], ids=lambda r: r.noun)
def test_every_built_in_loads(known: Registry) -> None:
    assert known.names() == sorted(known.names()) != []
    assert all(callable(found) for _, found in known.items())


def test_a_missed_name_gets_the_nearest_or_all_of_them() -> None:
    with pytest.raises(UnknownName, match="no rule named 'top_q'") as caught:
        RULES.get("top_q")
    assert caught.value.hint == "did you mean 'top_k'?"
    with pytest.raises(UnknownName) as caught:
        RULES.get("zzz")
    assert "balanced_random, blend, clusters" in caught.value.hint


def test_listing_imports_nothing(registered: list[EntryPoint]) -> None:
    registered += [point("b", "no.such:Thing"), point("a", "nor.this:Thing"), point("x", "y:Z", "sluicegate.stages")]
    assert Registry("rule").names() == ["a", "b"]


def test_two_packages_with_one_name_are_refused(registered: list[EntryPoint]) -> None:
    registered += [point("a", "one:Rule"), point("a", "two:Rule")]
    with pytest.raises(ConfigError, match="two packages name a rule 'a': one:Rule and two:Rule"):
        Registry("rule").names()


def test_one_package_seen_twice_is_one(registered: list[EntryPoint]) -> None:
    registered += [point("a", "collections:Counter")] * 2
    assert Registry("rule").get("a").__name__ == "Counter"


@pytest.mark.parametrize(("value", "why"), [("no.such:Thing", "No module named 'no'"), ("json:Thing", "has no attr")])
def test_a_plug_in_that_cannot_be_imported_is_named(registered: list[EntryPoint], value: str, why: str) -> None:
    registered.append(point("a", value))
    with pytest.raises(MissingError, match=f"rule 'a' cannot be loaded from {value}: .*{why}") as caught:
        Registry("rule").get("a")
    assert "uninstall" in caught.value.hint


def test_did_you_mean() -> None:
    assert did_you_mean("lenght", ["length", "gate"]) == "did you mean 'length'?"
    assert did_you_mean("q", ["length", "gate"]) == ""


def test_the_registry_does_not_need_pydantic() -> None:
    code = "import sys, sluicegate.registry as r; r.STAGES.names(); sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
