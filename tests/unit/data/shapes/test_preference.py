from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rows_of_shapes import ASKED, ROWS, SAID, WORSE
from sluicegate.data.shapes import Preference, Unfit
from sluicegate.data.shapes.preference import (
    AlpacaPairs,
    ChosenRejected,
    DpoEnZh,
    HhRlhf,
    PkuSafeRlhf,
    Shp,
    UltraFeedback,
    part,
    spoken,
)
from sluicegate.schema import Message

MORE, AGAIN = {"role": "user", "content": "more"}, {"role": "assistant", "content": "again"}


def read(shape: Any, row: dict[str, Any], **options: Any) -> Preference:
    return shape().read(row, shape.Config(**options))


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "chosen": "a", "rejected": "b"},
        {"prompt": [ASKED], "chosen": [SAID], "rejected": [WORSE]},
        {"prompt": "q", "chosen": [ASKED, SAID], "rejected": [ASKED, WORSE]},
        {"chosen": [ASKED, SAID], "rejected": [ASKED, WORSE]},
        {"prompt": None, "chosen": [ASKED, SAID], "rejected": [ASKED, WORSE]},
    ],
)
def test_trl_may_have_the_prompt_apart_or_inside_or_both(row: dict[str, Any]) -> None:
    assert read(ChosenRejected, row) == Preference([ASKED], [SAID], [WORSE])


def test_the_scores_of_ultrafeedback_are_kept() -> None:
    found = read(UltraFeedback, ROWS["ultrafeedback"])
    assert found == Preference([ASKED], [SAID], [WORSE], {"score_chosen": 9.0, "score_rejected": 2.0})


def test_speakers_are_told_apart_in_a_text_and_torn_turns_mended() -> None:
    said = "\n\nHuman: one\n\nHuman: two\n\nAssistant: \n\nHuman: three\n\nAssistant: a: b\n\nstill me\n\nAssistant: c"
    assert [(m["role"], m["content"]) for m in spoken(said)] == [
        ("user", "one\n\ntwo\n\nthree"),
        ("assistant", "a: b\n\nstill me\n\nc"),
    ]
    assert spoken("no one speaks") == []


def test_the_turns_two_texts_share_are_the_prompt() -> None:
    shared = "\n\nHuman: q\n\nAssistant: a\n\nHuman: more\n\nAssistant:"
    found = read(HhRlhf, {"chosen": f"{shared} again", "rejected": f"{shared} no\n\nHuman: bye"})
    assert found == Preference([ASKED, SAID, MORE], [AGAIN], [{"role": "assistant", "content": "no"}])


@pytest.mark.parametrize(
    ("chosen", "rejected", "expected"),
    [
        ([ASKED, SAID], [ASKED, WORSE], ([ASKED], [SAID], [WORSE])),
        (
            [ASKED, SAID],
            [ASKED, SAID],
            ([ASKED], [SAID], [SAID]),
        ),
        ([ASKED, SAID], [ASKED, SAID, MORE, AGAIN], ([ASKED], [SAID], [SAID, MORE, AGAIN])),
        ([ASKED, SAID, MORE], [ASKED, WORSE], ([ASKED], [SAID], [WORSE])),
        ([SAID], [WORSE], ([], [SAID], [WORSE])),
    ],
)
def test_two_conversations_are_parted_at_an_answer(
    chosen: list[Message], rejected: list[Message], expected: tuple[list[Message], ...]
) -> None:
    assert part(chosen, rejected) == expected


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        ([ASKED], [ASKED, SAID], "no assistant turn"),
        ([], [], "no assistant turn"),
        ([ASKED, SAID], [MORE, SAID], "no shared prompt: the two conversations part at what the user says"),
        ([ASKED, SAID, ASKED, AGAIN], [ASKED, SAID, MORE, AGAIN], "no shared prompt"),
    ],
)
def test_conversations_that_do_not_part_at_an_answer_say_why(
    chosen: list[Message], rejected: list[Message], reason: str
) -> None:
    with pytest.raises(Unfit, match=reason):
        part(chosen, rejected)


TURNS = st.lists(st.sampled_from([ASKED, SAID, MORE, AGAIN]), max_size=5)


@given(shared=TURNS, chosen=TURNS, rejected=TURNS)
def test_parted_conversations_can_be_put_together_again(shared: Any, chosen: Any, rejected: Any) -> None:
    try:
        prompt, better, worse = part([*shared, *chosen], [*shared, *rejected])
    except Unfit:
        return
    assert [*shared, *chosen][: len(prompt + better)] == prompt + better
    assert [*shared, *rejected][: len(prompt + worse)] == prompt + worse
    assert better[0]["role"] == worse[0]["role"] == better[-1]["role"] == worse[-1]["role"] == "assistant"


@pytest.mark.parametrize(("labels", "chosen"), [(1, "A"), (0, "B"), ("1", "A")])
def test_the_label_of_shp_is_1_where_a_is_better(labels: Any, chosen: str) -> None:
    row = {"history": "q", "human_ref_A": "A", "human_ref_B": "B", "labels": labels, "score_ratio": 3.0}
    found = read(Shp, row)
    assert (found.chosen[0]["content"], found.meta) == (chosen, {"score_ratio": 3.0})


def test_pairs_with_scores_too_near_are_left_out_where_asked_for() -> None:
    row = ROWS["shp"]
    assert read(Shp, row, min_score_ratio=3.0).chosen == [SAID]
    with pytest.raises(Unfit, match=r"no clear preference: the scores differ by a factor of 3\.0"):
        read(Shp, row, min_score_ratio=3.5)
    with pytest.raises(Unfit, match="a factor of None"):
        read(Shp, {**row, "score_ratio": None}, min_score_ratio=2)


def test_better_and_safer_are_two_criteria() -> None:
    row = ROWS["pku_saferlhf"]
    better, safer = read(PkuSafeRlhf, row), read(PkuSafeRlhf, row, criterion="safer")
    assert (better.chosen, better.meta) == ([SAID], {"chosen_safe": False, "rejected_safe": True})
    assert (safer.chosen, safer.meta) == ([WORSE], {"chosen_safe": True, "rejected_safe": False})


@pytest.mark.parametrize("label", [2, -1, None, "x", 0.5, [0], True])
def test_a_label_that_names_neither_side_says_so(label: Any) -> None:
    row = {**ROWS["pku_saferlhf"], "better_response_id": label}
    if label is True:  # as tables of true and false have it
        assert read(PkuSafeRlhf, row).chosen == [SAID]
        return
    with pytest.raises(Unfit, match="no preference: 'better_response_id' is neither 0 nor 1"):
        read(PkuSafeRlhf, row)


def test_single_turns_may_be_json_text() -> None:
    row = {**ROWS["dpo_en_zh"], "chosen": '{"from": "gpt", "value": "a"}'}
    assert read(DpoEnZh, row) == Preference([ASKED], [SAID], [WORSE])


def test_of_ranked_outputs_the_first_is_chosen_and_the_last_rejected() -> None:
    row = {"instruction": "more", "input": "", "output": ["again", "so so", "no"], "history": [["q", "a"]]}
    found = read(AlpacaPairs, row)
    assert found == Preference([ASKED, SAID, MORE], [AGAIN], [{"role": "assistant", "content": "no"}])


@pytest.mark.parametrize("output", [[], ["one"], ["one", 2], "text"])
def test_outputs_that_offer_no_choice_say_so(output: Any) -> None:
    with pytest.raises(Unfit, match="wrong type: 'output'"):
        read(AlpacaPairs, {"instruction": "q", "output": output})
