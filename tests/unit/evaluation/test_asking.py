"""What was asked is not asked again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sluicegate.evaluation import asking
from sluicegate.evaluation.asking import KEPT, ask
from sluicegate.models.generate import batches_of_replies
from sluicegate.models.load import Loaded, load
from sluicegate.models.sampling import Sampling
from sluicegate.schema import Message
from sluicegate.testing import tiny_model

PROMPTS: list[list[Message]] = [[{"role": "user", "content": f"What is {n} + {n}?"}] for n in range(5)]
DRAWN = Sampling(max_new_tokens=6, temperature=1.0)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(tiny_model(tmp_path_factory.mktemp("model")), device="cpu")


def test_every_prompt_gets_its_replies_and_a_batch_changes_none(loaded: Loaded, tmp_path: Path) -> None:
    found = [ask(loaded, PROMPTS, DRAWN, 2, size, _new(tmp_path / str(size))) for size in (1, 4, 96)]
    assert found[0] == found[1] == found[2]
    assert [len(replies) for replies in found[0]] == [2] * 5
    assert any(one != other for one, other in found[0])


@pytest.mark.parametrize("torn", ["", '[9, {"text": "half a li'])
def test_a_stopped_attempt_is_gone_on_with(
    loaded: Loaded, tmp_path: Path, torn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ask(loaded, PROMPTS, DRAWN, 2, 3, _new(tmp_path / "whole"))
    asked: list[int] = []

    def counted(loaded: Loaded, prompts: Mapping[int, Sequence[int]], *rest: Any) -> Iterator[Any]:
        asked.extend(prompts)
        for n, some in enumerate(batches_of_replies(loaded, prompts, *rest)):
            if n == 2 and len(prompts) == 10:
                raise KeyboardInterrupt
            yield some

    monkeypatch.setattr(asking, "batches_of_replies", counted)
    folder = _new(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        ask(loaded, PROMPTS, DRAWN, 2, 3, folder)
    with (folder / KEPT).open("a", encoding="utf-8") as file:
        file.write(torn)
    asked.clear()
    assert ask(loaded, PROMPTS, DRAWN, 2, 3, folder) == whole
    assert len(asked) == 4
    assert ask(loaded, PROMPTS, DRAWN, 2, 3, folder) == whole
    assert len(asked) == 4


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
