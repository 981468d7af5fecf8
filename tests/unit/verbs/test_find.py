"""A user's words for an artifact."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.artifacts import write_json
from sluicegate.errors import ArtifactError
from sluicegate.registry import VERBS
from sluicegate.testing import sealed
from sluicegate.verbs.find import find, newest


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An artifact that run `a` calls `pool`; run `b` is newer and empty."""
    monkeypatch.chdir(tmp_path)
    one = sealed(Path("runs/a/artifacts"), "messages", lambda out: None)
    write_json(Path("runs/a/lock.json"), {"pool": one.id})
    Path("runs/b").mkdir()
    write_json(Path("runs/b/lock.json"), {})
    return one.id


def test_an_id_is_of_any_run_and_a_step_of_the_newest_or_the_one_named(made: str) -> None:
    assert newest() == Path("runs/b")
    assert find(made, None).id == made
    assert find(f"runs/a/artifacts/{made}", None).id == made
    assert find("pool", Path("runs/a")).id == made
    with pytest.raises(ArtifactError, match="no step 'pool' in runs/b") as told:
        find("pool", None)
    assert "runs/a" in told.value.hint
    with pytest.raises(ArtifactError) as told:
        find("poll", Path("runs/a"))
    assert told.value.hint == "did you mean 'pool'?"


@pytest.mark.parametrize("name", VERBS.names())
def test_a_verb_is_named_as_it_is_registered_and_says_what_it_does(name: str) -> None:
    verb = VERBS.get(name)
    assert verb.name == name
    assert verb.help
    assert verb.__doc__
