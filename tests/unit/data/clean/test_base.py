from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.config import Config
from sluicegate.data.clean.base import Cleaner, build_cleaners, clean
from sluicegate.data.normalize import normalize
from sluicegate.data.shapes import Unfit
from sluicegate.registry import CLEANERS
from sluicegate.schema import Message, Record, make_pair, make_record
from sluicegate.testing import check_config

TEXT = st.text(st.characters(codec="utf-8")).map(normalize).filter(bool)


def turns(*said: str) -> list[Message]:
    return [Message(role=("user", "assistant")[n % 2], content=text) for n, text in enumerate(said)]


def record(*said: str, lang: str = "en") -> Record:
    return make_record(turns(*said), "s", lang, "7", {"level": 3})


def cleaners(**options: object) -> list[Cleaner]:
    return build_cleaners({name: build_one(name, given) for name, given in options.items()})


def build_one(name: str, given: object) -> Config:
    return CLEANERS.get(name).Config.model_validate(given)


def test_steps_are_taken_in_their_own_order_however_they_are_written() -> None:
    names = ["languages", "unicode", "repair", "turns", "mask"]
    made = build_cleaners({name: build_one(name, ["zh"] if name == "languages" else {}) for name in names})
    assert [c.name for c in made if c.name in names] == ["repair", "unicode", "mask", "turns", "languages"]


@pytest.mark.parametrize("name", CLEANERS.names())
def test_every_step_is_documented_and_has_a_place_of_its_own(name: str) -> None:
    cleaner = CLEANERS.get(name)
    assert cleaner.name == name
    check_config(cleaner.Config)
    assert cleaner.Config.short in {"", *cleaner.Config.model_fields}
    orders = [CLEANERS.get(other).order for other in CLEANERS.names()]
    assert orders.count(cleaner.order) == 1


def test_a_value_alone_is_the_key_that_is_meant_most() -> None:
    assert build_one("repetition", 0.3) == build_one("repetition", {"max_share": 0.3})
    assert build_one("repetition", True) == build_one("repetition", {})
    assert build_one("languages", ["zh"]) == build_one("languages", {"keep": ["zh"]})


def test_a_record_keeps_all_but_its_messages_and_gets_their_id() -> None:
    before = record("Ｗhat is x²?", "４")
    after = clean(before, cleaners(unicode="nfkc"))
    assert after == make_record(turns("What is x2?", "4"), "s", "en", "7", {"level": 3})
    assert clean(before, cleaners(turns={})) is before


def test_a_pair_is_cleaned_in_its_three_parts_and_judged_on_both_sides() -> None:
    said = turns("Ｑ", "Ａ", "ok", "b")
    pair = make_pair(said[:1], said[1:2], said[3:], "s", "en", {"level": 3})
    after = clean(pair, cleaners(unicode="nfkc"))
    assert after == make_pair(turns("Q"), turns("Q", "A")[1:], said[3:], "s", "en", {"level": 3})
    with pytest.raises(Unfit, match="same continuations"):
        clean(make_pair(said[:1], said[1:2], turns("", "A")[1:], "s", "en"), cleaners(unicode="nfkc"))
    long = make_pair(said[:1], said[1:2], turns("", "word " * 50)[1:], "s", "en")
    with pytest.raises(Unfit, match="too long"):
        clean(long, cleaners(tokens={"max": 20}))


def test_a_turn_that_cleaning_empties_sets_the_row_aside() -> None:
    with pytest.raises(Unfit, match="empty turn: assistant"):
        clean(record("q", "\u200d"), cleaners(unicode={"joiners": False}))


@given(TEXT, TEXT)
def test_cleaning_what_is_clean_changes_nothing(asked: str, said: str) -> None:
    steps = cleaners(unicode="nfkc", mask={}, repair={})
    try:
        once = clean(record(asked, said), steps)
    except Unfit:
        return
    assert clean(once, steps) == once
    assert json.loads(once["meta"]) == {"level": 3}
