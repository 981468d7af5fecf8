"""What a preparation is told reaches its card: terms, tokenizer, steps, and what fell short."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sluicegate.config import build
from sluicegate.stages.prepare import Prepare
from sluicegate.testing import sealed, tiny_model


def rows(path: Path, words: list[str], n: int) -> str:
    """A file of questions; every word is one source's own."""
    turns = [{"question": f"{' '.join(words)} {k}?", "answer": f"{words[0]} is {k}.\n#### {k}"} for k in range(n)]
    path.write_text("\n".join(map(json.dumps, turns)), encoding="utf-8")
    return str(path)


def card(folder: Path, **options: Any) -> str:
    config = build(Prepare.Config, options)
    made = sealed(folder / "store", config.make, lambda out: Prepare().fill(out, config, {}))
    ElementTree.parse(made.path / "lengths.svg")
    text = (made.path / "card.md").read_text(encoding="utf-8")
    assert "](lengths.svg)" in text
    return text


def test_terms_come_from_the_preset_or_from_the_source(tmp_path: Path) -> None:
    one, two = rows(tmp_path / "one.jsonl", ["one"], 3), rows(tmp_path / "two.jsonl", ["two"], 3)
    safe = tmp_path / "safe.jsonl"
    sides = {
        "prompt": "Why?",
        "response_0": "So.",
        "response_1": "No.",
        "better_response_id": 0,
        "safer_response_id": 0,
    }
    safe.write_text(json.dumps(sides), encoding="utf-8")
    sources = [{"preset": "gsm8k", "path": one}, {"path": two, "licence": "cc-by-sa-4.0", "warning": "share alike"}]
    text = card(tmp_path, sources=sources)
    assert "| gsm8k | mit |  |" in text
    assert "| two | cc-by-sa-4.0 | share alike |" in text
    assert "What to mind of two" in text
    research = card(tmp_path / "pairs", sources={"preset": "pku_saferlhf", "path": str(safe)}, make="pairs")
    assert "| pku_saferlhf | cc-by-nc-4.0 | not for commercial use" in research


def test_only_the_steps_that_were_taken_are_told(tmp_path: Path) -> None:
    path = rows(tmp_path / "one.jsonl", ["one"], 20)
    plain = card(tmp_path, sources=path, dedup="none")
    assert [line.split(" | ")[0] for line in plain.splitlines() if line.endswith("| 0 | 20 |")] == [
        "| read",
        "| shape",
        "| clean",
    ]
    split = card(tmp_path / "split", sources=path, split={"part": "train", "test_share": 0.5})
    assert "| split | 20 | " in split
    assert "| mix |" not in split


def test_a_mix_that_falls_short_says_so(tmp_path: Path) -> None:
    sources = [rows(tmp_path / "one.jsonl", ["one"], 4), rows(tmp_path / "two.jsonl", ["two"], 20)]
    text = card(tmp_path, sources=sources, mix={"weights": {"one": 1, "two": 1}, "rows": 20})
    assert "- one has 4 of the 10 rows asked for" in text


def test_a_tokenizer_that_is_named_counts(tmp_path: Path) -> None:
    model = tiny_model(tmp_path / "model")
    path = rows(tmp_path / "one.jsonl", ["one"], 3)
    text = card(tmp_path, sources=path, clean={"tokens": {"tokenizer": str(model)}})
    n_bytes = sum(len(f"one {k}?" + f"one is {k}.\n#### {k}") for k in range(3))
    assert f"{n_bytes} tokens as model counts them" in text, "a byte is a token"
    assert "guessed" not in text
    assert str(tmp_path) not in text
