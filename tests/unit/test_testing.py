from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, get_args

import pytest

from sluicegate.artifacts import Artifact
from sluicegate.config import Config
from sluicegate.schema import Kind
from sluicegate.stages.base import Stage
from sluicegate.testing import Family, check_config, check_stage, sealed, tiny_model, tiny_pool


def test_a_tiny_pool_has_two_languages_and_wrong_rows() -> None:
    pool = tiny_pool(20)
    assert len({r["id"] for r in pool}) == 20
    assert {r["lang"] for r in pool} == {"en", "zh"}
    wrong = [r for r in pool if f" {r['answer']}" not in r["messages"][1]["content"]]
    assert len(wrong) == 4
    assert tiny_pool(20) == pool


@pytest.mark.parametrize("family", get_args(Family))
def test_a_tiny_model_opens_and_reads_its_own_text(family: Family, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    before = torch.random.get_rng_state()
    folder = tiny_model(tmp_path / "model", family)
    assert torch.equal(before, torch.random.get_rng_state())
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    ids = tokenizer("What is 2 加 3?", return_tensors="pt")["input_ids"]
    assert tokenizer.decode(ids[0]) == "What is 2 加 3?"
    assert model(ids).logits.shape == (1, ids.shape[1], len(tokenizer))
    assert tokenizer.pad_token_id != tokenizer.eos_token_id


class Copies(Stage):
    """Writes a line."""

    name = "copies"
    makes: ClassVar[Kind] = "report"
    takes: ClassVar[dict[str, Kind]] = {"data": "messages"}

    class Config(Stage.Config):
        text: str = "a"
        """The line."""

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        (out / "line.txt").write_text(config.text, encoding="utf-8")
        return {"lines": 1}


class Counts(Copies):
    calls = 0

    def fill(self, out: Path, config: Any, inputs: dict[str, Artifact]) -> dict[str, Any]:
        Counts.calls += 1
        (out / "line.txt").write_text(str(Counts.calls), encoding="utf-8")
        return {"lines": 1}


class Clocked(Counts):
    timed = frozenset({"line.txt"})


class Unheard(Copies):
    makes: ClassVar[Kind] = "poem"  # type: ignore[assignment]


def test_a_stage_is_checked(tmp_path: Path) -> None:
    data = sealed(tmp_path / "in", "messages", lambda out: None)
    assert check_stage(Copies, {"text": "b"}, {"data": data}, tmp_path).stats == {"lines": 1}
    with pytest.raises(AssertionError, match="same files"):
        check_stage(Counts, {}, {"data": data}, tmp_path)
    check_stage(Clocked, {}, {"data": data}, tmp_path / "clocked")
    with pytest.raises(AssertionError, match="a kind is one of"):
        check_stage(Unheard, {}, {"data": data}, tmp_path)
    with pytest.raises(AssertionError, match="needs inputs"):
        check_stage(Copies, {}, {}, tmp_path)


def test_a_config_is_checked() -> None:
    class Loose(Config, extra="allow"):
        pass

    class Silent(Config):
        key: int = 0

    with pytest.raises(AssertionError, match="unknown keys"):
        check_config(Loose)
    with pytest.raises(AssertionError, match="without a docstring under them: key"):
        check_config(Silent)
