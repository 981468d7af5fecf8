from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data.mix import Draw, Mix, Sample, group_of, rounded
from sluicegate.errors import DataError
from sluicegate.schema import Record, make_record

COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50), min_size=1)


def rows(**counts: int) -> list[Record]:
    """So many rows of each source, whose levels are 1 to 5 in turn."""
    return [
        make_record([{"role": "assistant", "content": f"{source} {n}"}], source, "en", meta={"level": n % 5 + 1})
        for source, count in counts.items()
        for n in range(count)
    ]


def drawn(config: Mix | Sample, found: list[Record], cut: int = 0) -> list[Record]:
    draw = Draw(config)
    draw.see(found[:cut])
    draw.see(found[cut:])
    return [row for row, kept in zip(found, draw.chosen().tolist(), strict=True) if kept]


def by_source(found: list[Record]) -> dict[str, int]:
    return dict(Counter(row["source"] for row in found))


def test_weights_decide_and_no_group_falls_short_unless_rows_are_asked_for() -> None:
    found = rows(a=100, b=30, c=9)
    mix = Mix(weights={"a": 1, "b": 2})
    assert by_source(drawn(mix, found)) == {"a": 15, "b": 30}
    asked = Mix(weights={"a": 1, "b": 2}, rows=90)
    draw = Draw(asked)
    draw.see(found)
    assert by_source(drawn(asked, found)) == {"a": 30, "b": 30}
    assert draw.shortfall() == {"b": (30, 60)}


def test_a_group_that_is_not_there_is_a_shortfall() -> None:
    draw = Draw(Mix(weights={"a": 1, "z": 1}, rows=10))
    draw.see(rows(a=20))
    assert draw.shortfall() == {"z": (0, 5)}
    assert draw.chosen().sum() == 5


def test_a_group_that_is_not_there_leaves_the_others_no_number() -> None:
    draw = Draw(Mix(weights={"cmath": 1, "gsm8": 1}))
    draw.see(rows(cmath=20, gsm8k=20))
    with pytest.raises(DataError, match="no row that may be kept has source 'gsm8'") as caught:
        draw.chosen()
    assert caught.value.hint == "did you mean 'gsm8k'?"


def test_groups_by_a_column_that_no_row_has_are_none() -> None:
    for config in (Sample(rows=5, by="levle"), Mix(weights={"1": 1}, by="levle")):
        draw = Draw(config)
        draw.see(rows(a=20))
        with pytest.raises(DataError, match="no row has 'levle' in its `meta`"):
            draw.chosen()


def test_a_sample_is_stratified() -> None:
    found = rows(a=100, b=50)
    assert by_source(drawn(Sample(rows=30), found)) == {"a": 20, "b": 10}
    assert by_source(drawn(Sample(rows=30, shares="equal"), rows(a=100, b=50, c=4))) == {"a": 13, "b": 13, "c": 4}
    levels = Counter(group_of(row, "level") for row in drawn(Sample(rows=25, by="level"), found))
    assert levels == {str(level): 5 for level in range(1, 6)}


def test_rows_without_the_key_are_a_group_too() -> None:
    found = [make_record([{"role": "assistant", "content": "x"}], "s", "zh")]
    assert (group_of(found[0], "level"), group_of(found[0], "lang")) == ("-", "zh")
    assert drawn(Sample(rows=3, by="level"), [*found, *rows(a=2)]) == [*found, *rows(a=2)]


def test_who_is_drawn_hangs_on_neither_order_nor_cut_and_on_the_seed() -> None:
    found = rows(a=60, b=60)
    one = drawn(Sample(rows=30), found)
    assert drawn(Sample(rows=30), found, cut=17) == one
    assert drawn(Sample(rows=30), found[::-1]) == one[::-1]
    assert drawn(Sample(rows=30, seed=1), found) != one
    fewer = drawn(Sample(rows=20), found)
    assert [row for row in one if row in fewer] == fewer, "a smaller sample is a part of a larger one"


def test_nothing_drawn_of_nothing() -> None:
    assert drawn(Sample(rows=3), []) == []
    assert drawn(Mix(weights={"a": 1}), []) == []


@given(COUNTS, st.integers(1, 200), st.sampled_from(["proportional", "equal"]))
def test_a_samples_quotas_are_all_rows_asked_for_and_never_more_than_there_are(
    counts: dict[str, int], rows_asked: int, shares: str
) -> None:
    quotas = Sample.model_validate({"rows": rows_asked, "shares": shares}).quotas(counts)
    assert sum(quotas.values()) == min(rows_asked, sum(counts.values()))
    assert all(0 <= quotas[group] <= n for group, n in counts.items())


@given(COUNTS, st.integers(1, 300))
def test_a_mixs_quotas_are_all_rows_asked_for(weights: dict[str, int], rows_asked: int) -> None:
    weights = {group: weight + 1 for group, weight in weights.items()}
    quotas = Mix.model_validate({"rows": rows_asked, "weights": weights}).quotas({})
    assert sum(quotas.values()) == rows_asked
    assert all(abs(quotas[g] - rows_asked * w / sum(weights.values())) < 1 for g, w in weights.items())


@pytest.mark.parametrize(
    ("shares", "whole"), [({"a": 1.5, "b": 1.5}, {"a": 2, "b": 1}), ({"a": 0.2, "b": 0.8}, {"a": 0, "b": 1})]
)
def test_remainders(shares: dict[str, float], whole: dict[str, int]) -> None:
    assert rounded(shares, round(sum(shares.values()))) == whole
