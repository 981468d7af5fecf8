"""Pairs as tokens: the loss sees what the assistant says on a side, and nothing of what both begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.errors import DataError
from sluicegate.models.encode import IGNORED, Encoded
from sluicegate.models.load import Loaded, load
from sluicegate.testing import tiny_model
from sluicegate.training.preference.rows import EncodedPairs, collate_pairs
from tiny_pairs import assistant, encoded_pairs, tiny_pair, tiny_pairs, user


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(tiny_model(tmp_path_factory.mktemp("base")), device="cpu")


def labels(loaded: Loaded, side: Encoded) -> str:
    return loaded.tokenizer.decode([i for i in side.labels if i != IGNORED])


def test_the_labels_are_what_the_assistant_says_on_that_side(loaded: Loaded, tmp_path: Path) -> None:
    several = {
        "prompt": [user("One?"), assistant("One."), user("Two?")],
        "chosen": [assistant("Two."), user("Three?"), assistant("Three.")],
        "rejected": [assistant("Too.")],
    }
    (pair,) = encoded_pairs(tmp_path, loaded, [tiny_pair(0, **several)])
    end = loaded.tokenizer.eos_token
    assert labels(loaded, pair.chosen) == f"Two.{end}Three.{end}"
    assert labels(loaded, pair.rejected) == f"Too.{end}"
    assert pair.chosen.ids[: pair.chosen.spans[0][0]] == pair.rejected.ids[: pair.rejected.spans[0][0]]


def test_pairs_are_in_the_order_of_the_table_and_counted_by_side(loaded: Loaded, tmp_path: Path) -> None:
    pairs = tiny_pairs(5)
    found = encoded_pairs(tmp_path, loaded, pairs)
    assert [side.id for side in found[1]] == [f"{pairs[1]['id']}/chosen", f"{pairs[1]['id']}/rejected"]
    assert (len(found), len(list(found)), found[-1]) == (5, 5, found[4])
    assert found.n_tokens.tolist() == [max(len(side.ids) for side in pair) for pair in found]
    assert found.counts().n_label.tolist() == [side.n_label for pair in found for side in pair]


def test_a_batch_has_the_chosen_sides_above_the_rejected(loaded: Loaded, tmp_path: Path) -> None:
    pairs = list(encoded_pairs(tmp_path, loaded, tiny_pairs(3)))
    batch = collate_pairs(pairs, pad_id=0)
    assert batch["input_ids"].shape == (6, max(len(side.ids) for pair in pairs for side in pair))
    for row, side in enumerate([p.chosen for p in pairs] + [p.rejected for p in pairs]):
        torch.testing.assert_close(batch["labels"][row, : len(side.ids)], torch.tensor(side.labels))
        assert batch["attention_mask"][row].sum() == len(side.ids)


def test_what_is_cut_off_is_counted_by_pair_and_told(
    loaded: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = [assistant("Well, " * 20)]
    found = encoded_pairs(tmp_path, loaded, [*tiny_pairs(3), tiny_pair(9, chosen=long)], max_length=100)
    assert found.n_truncated == 1
    told = capsys.readouterr().err
    assert "both sides of 4 pairs: 8 rows" in told
    assert f"{found.counts().n_label.sum()} of them label tokens" in told
    assert "1 row is longer than max_length=100" in told


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"prompt": []}, "pair {id} has no prompt"),
        ({"chosen": []}, "pair {id} has no reply on its chosen side"),
        ({"rejected": [user("Hm.")]}, "pair {id} has no reply on its rejected side"),
        ({"chosen": [assistant("Same.")], "rejected": [assistant("Same.")]}, "1 pair has equal sides, .*: {id}"),
        ({"chosen": [assistant("a" * 200 + "b")], "rejected": [assistant("a" * 200 + "c")]}, "1 pair has equal sides"),
        ({"prompt": [user("How? " * 40)]}, "2 rows have no label tokens: {id}/chosen, {id}/rejected"),
        ({"prompt": [user("A?"), assistant("B."), user("How? " * 40)]}, "2 rows have no label tokens: {id}/chosen"),
    ],
)
def test_a_pair_that_prefers_nothing_is_an_error_that_names_it(
    loaded: Loaded, tmp_path: Path, changed: dict[str, Any], told: str
) -> None:
    pair = tiny_pair(3, **changed)
    with pytest.raises(DataError, match=told.replace("{id}", pair["id"])) as err:
        encoded_pairs(tmp_path, loaded, [*tiny_pairs(2), pair], max_length=150)
    assert err.value.hint


def test_no_pairs_are_an_error(loaded: Loaded, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pairs to train on"):
        encoded_pairs(tmp_path, loaded, [])


def test_pairs_are_encoded_once(loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = encoded_pairs(tmp_path, loaded, tiny_pairs(4))
    monkeypatch.setattr("sluicegate.training.preference.rows._conversations", None)
    two: EncodedPairs = encoded_pairs(tmp_path, loaded, tiny_pairs(4))
    assert list(one) == list(two)
