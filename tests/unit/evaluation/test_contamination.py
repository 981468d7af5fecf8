"""A question is known again in whatever a model was trained on."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sluicegate.artifacts import Artifact, write_table
from sluicegate.evaluation.contamination import seen_questions, trained_on
from sluicegate.schema import Decision, Message, Pair, Record, make_pair
from sluicegate.testing import sealed, tiny_pool

LONG = "A farmer has nine fields and sows three of them with wheat, so how many fields are left for rye?"
SHORT = "How many apples are there?"
ZH = "一个农民有九块地，他在其中三块地里种了小麦，请问还剩下多少块地可以种黑麦呢？"


def test_thirteen_words_in_a_row_are_enough() -> None:
    part = " ".join(LONG.split()[2:15])
    assert seen_questions([LONG, SHORT, ZH], [f"Look: {part.upper()}!", "nothing"]).tolist() == [True, False, False]
    assert seen_questions([LONG, ZH], [" ".join(LONG.split()[2:14]), ZH[3:18]]).tolist() == [False, True]


def test_a_short_question_counts_as_a_whole_and_a_very_short_one_never() -> None:
    assert seen_questions([SHORT, "Why?"], [SHORT.lower().rstrip("?"), "Why?"]).tolist() == [True, False]
    assert seen_questions([SHORT], [f"Well. {SHORT}"]).tolist() == [False]


@given(st.lists(st.integers(0, 30), min_size=13, max_size=60), st.integers(0, 40))
def test_any_thirteen_words_are_found(words: list[int], at: int) -> None:
    at = min(at, len(words) - 13)
    question = " ".join(f"w{n}" for n in words)
    assert seen_questions([question], ["other words", " ".join(f"w{n}" for n in words[at : at + 13])]).tolist() == [
        True
    ]


def _messages(root: Path, rows: list[Record]) -> Artifact:
    recipe = {"pins": {"rows": str(len(rows))}}
    return sealed(root, "messages", lambda out: {"n": write_table(out / "messages.parquet", rows, Record)}, {}, recipe)


def test_the_past_of_a_model_goes_back_to_its_base(tmp_path: Path) -> None:
    pool, turn = tiny_pool(6), lambda text: [Message(role="user", content=text)]
    store = tmp_path / "store"
    data, trusted = _messages(store, pool[:4]), _messages(store, pool[4:])
    kept = [{"id": row["id"], "kept": n == 1, "rank": n, "reason": ""} for n, row in enumerate(pool[:4])]
    selection = sealed(store, "selection", lambda out: {"rows": write_table(out / "selection.parquet", kept, Decision)})
    pair = make_pair(turn("asked"), turn("good"), turn("bad"), "s", "en")
    pairs = sealed(store, "pairs", lambda out: {"rows": write_table(out / "pairs.parquet", [pair], Pair)})

    def model(**inputs: Artifact) -> Artifact:
        return sealed(store, "model", lambda out: {}, inputs=inputs)

    base = model()
    tuned = model(model=base, data=data, selection=selection, trusted=trusted)
    said = [turn["content"] for row in (pool[1], *pool[4:]) for turn in row["messages"]]
    assert sorted(trained_on(tuned)) == sorted(said)
    aligned = model(model=tuned, data=pairs)
    assert sorted(trained_on(aligned)) == sorted([*said, "asked", "good", "bad"])
    assert list(trained_on(base)) == []
