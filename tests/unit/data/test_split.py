from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sluicegate.data.split import Split

IDS = [f"{n:016x}" for n in range(4000)]
PARTS = ("train", "valid", "test")


def split(**kw: object) -> Split:
    return Split(Split.Config.model_validate(kw))


def kept(**kw: object) -> set[str]:
    return {i for i in IDS if not split(**kw).reason(i)}


def test_the_two_parts_are_everything_and_share_nothing() -> None:
    train, test = kept(part="train", test_share=0.2), kept(part="test", test_share=0.2)
    assert train | test == set(IDS)
    assert not train & test
    assert 0.17 < len(test) / len(IDS) < 0.23


@pytest.mark.parametrize("shares", ["8:1:1", [80, 10, 10], "0.8:0.1:0.1"])
def test_three_parts_as_asked(shares: object) -> None:
    parts = [kept(part=part, shares=shares) for part in PARTS]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(IDS)
    assert [round(len(part) / len(IDS), 1) for part in parts] == [0.8, 0.1, 0.1]
    assert parts[2] == kept(part="test", test_share=0.1), "the test part is that of a split in two"
    assert [round(split(part=part, shares=shares).config.share, 6) for part in PARTS] == [0.8, 0.1, 0.1]


def test_another_seed_is_another_split_and_a_larger_share_keeps_the_smaller() -> None:
    assert kept(part="test", seed=0) != kept(part="test", seed=1)
    assert kept(part="test", test_share=0.1) < kept(part="test", test_share=0.3)


def test_the_reason_names_the_other_part() -> None:
    left_out = next(i for i in IDS if split(part="test").reason(i))
    assert split(part="test").reason(left_out) == "other part: train"


@given(st.text("0123456789abcdef", min_size=16, max_size=16), st.integers())
def test_copies_stay_together(record_id: str, seed: int) -> None:
    assert split(seed=seed).part(record_id) == split(seed=seed).part(f"{record_id}.2")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"shares": "8:1"}, "`shares` are three numbers"),
        ({"shares": "8:-1:1"}, "`shares` are three numbers"),
        ({"shares": 8}, "`shares` are three numbers"),
        ({"part": "valid"}, "there is no valid part"),
        ({"shares": "0:1:1"}, "leave nothing to train on"),
        ({"test_share": 0.5, "valid_share": 0.5}, "leave nothing to train on"),
    ],
)
def test_shares_that_are_none(config: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        split(**config)
