"""Complexity times quality against hand-worked numbers, and a table of scores that was made by asking."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fake_gates import model_in
from sluicegate.artifacts import Artifact, read_rows, write_table
from sluicegate.config import build, result_fields
from sluicegate.errors import ConfigError, DataError, MissingError
from sluicegate.schema import Record, make_record
from sluicegate.scoring import endpoint
from sluicegate.scoring.base import Shard
from sluicegate.scoring.deita import COMPLEXITY, QUALITY, Deita, rating
from sluicegate.scoring.endpoint import Answer
from sluicegate.stages.score import Score
from sluicegate.testing import sealed, tiny_model, tiny_pool
from stub_endpoint import Reply, Say, Stub, completion, digit_of, stub_endpoint

POOL = tiny_pool(6)


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FIRST_WAIT", 0.001)


@pytest.fixture
def serve() -> Iterator[Callable[[Say], Stub]]:
    """`serve(say)`: a stub that lives as long as the test."""
    with ExitStack() as open_stubs:
        yield lambda say: open_stubs.enter_context(stub_endpoint(say))


def talk(*turns: str, lang: str = "en", system: str = "") -> Record:
    roles = ["user", "assistant"] * len(turns)
    messages: Any = [{"role": "system", "content": system}] if system else []
    messages += [{"role": r, "content": c} for r, c in zip(roles, turns, strict=False)]
    return make_record(messages, "test", lang)


def score(url: str, *records: Record, notes: Path | None = None, **options: Any) -> list[float | str]:
    config = build(Deita.Config, {"base_url": url, "model": "rater", **options})
    where = Deita().fit(lambda rows: pytest.fail("nothing is read"), [], config)
    return list(Deita().score(Shard(records, [], None, learned=where, notes=notes), config))


def says(complexity: str, quality: str) -> Say:
    """One answer to questions about an instruction, another to those about a reply."""
    return lambda question: completion(quality if "<response>" in question else complexity)


@pytest.mark.parametrize(
    ("text", "others", "expected"),
    [
        ("4", {}, 4.0),
        ("4", {"4": 0.5, "5": 0.25, "3": 0.25}, 4.0),
        ("6", {"6": 0.6, "1": 0.2, "Six": 0.2}, (6 * 0.6 + 1 * 0.2) / 0.8),
        ("2", {"2": 0.3, " 2": 0.3, "7": 0.2, "3": 0.2}, (2 * 0.6 + 3 * 0.2) / 0.8),
        (" 5.", {" 5": 0.9, "4": 0.1}, 4.9),
    ],
)
def test_a_rating_is_the_mean_of_the_digits_it_might_have_been(
    text: str, others: Mapping[str, float], expected: float
) -> None:
    _, _, body = completion(text, *([(text.strip("."), others)] if others else []))
    answer = endpoint._read(json.dumps(body).encode())
    assert isinstance(answer, Answer)
    assert rating(answer) == pytest.approx(expected)


def test_the_digit_counts_where_it_stands() -> None:
    """The first token is none, and what it might have been says nothing of the rating."""
    answer = Answer("Score: 3", (("Score", {"1": -0.1}), (":", {}), (" 3", {" 3": -0.6931, " 5": -0.6931})))
    assert rating(answer) == pytest.approx(4.0)


@pytest.mark.parametrize("text", ["3/6", "Rating: 3", "3\n\nIt is 3", "**3**"])
def test_a_digit_among_words(text: str) -> None:
    assert rating(Answer(text)) == 3.0


@pytest.mark.parametrize("text", ["", "good", "7", "0", "10", "4.5", "3 or 4", "six", "-", "12345"])
def test_an_answer_that_is_no_rating(text: str) -> None:
    assert rating(Answer(text)) == f"the rater says '{text}', and not one digit from 1 to 6"


def test_complexity_times_quality(serve: Callable[[Say], Stub]) -> None:
    stub = serve(says("3", "5"))
    assert score(stub.url, talk("Why?", "So.")) == [15.0]
    assert len(stub.bodies) == 2


def test_the_paper_adds_turns_up_and_each_is_read_alone(serve: Callable[[Say], Stub]) -> None:
    def say(question: str) -> Reply:
        of = question.rpartition("<instruction>\n")[2]
        digits = {"one": ("2", "3"), "two": ("5", "4")}["one" if "one" in of else "two"]
        return completion(digits["<response>" in question])

    stub = serve(say)
    record = talk("say one", "1", "say two", "2", system="be kind")
    assert score(stub.url, record) == [2 * 3 + 5 * 4]
    assert score(stub.url, record, over="mean") == [13.0]
    assert not [question for question in stub.questions if "say one" in question and "say two" in question]


def test_it_asks_in_the_language_of_the_row(serve: Callable[[Say], Stub]) -> None:
    stub = serve(says("1", "1"))
    score(stub.url, talk("为什么？", "因为。", lang="zh"), talk("Pourquoi ?", "Parce que.", lang="other"))
    begins = {text.partition("\n")[0] for text in stub.questions}
    assert begins == {prompt[lang].partition("\n")[0] for prompt in (COMPLEXITY, QUALITY) for lang in ("zh", "en")}


def test_what_a_row_says_stands_in_the_question_as_it_is(serve: Callable[[Say], Stub]) -> None:
    stub = serve(says("1", "1"))
    score(stub.url, talk(r"print {response} \1 %s", "{instruction}"))
    (asked,) = [question for question in stub.questions if "<response>\n" in question]
    assert re.findall(r"<(?:instruction|response)>\n(.*)\n", asked) == [r"print {response} \1 %s", "{instruction}"]


def test_rows_without_a_score_say_why(serve: Callable[[Say], Stub]) -> None:
    def say(question: str) -> Reply:
        if "long" in question:
            return 400, {}, {"error": {"message": "too many tokens"}}
        return completion("I like it" if "odd" in question else "4")

    document: Any = [{"role": "assistant", "content": "All by itself."}]
    records = [talk("long", "x"), talk("odd", "x"), make_record(document, "test", "en"), talk("fine", "x")]
    assert score(serve(say).url, *records) == [
        "HTTP 400 too many tokens",
        "the rater says 'I like it', and not one digit from 1 to 6",
        "no instruction with a reply",
        16.0,
    ]


def test_a_rater_that_rates_nothing_is_not_asked_for_ever(serve: Callable[[Say], Stub]) -> None:
    stub = serve(lambda question: completion("<think> Well"))
    records = [talk(f"question {n}", "x") for n in range(500)]
    with pytest.raises(DataError, match="rater rated none of the first 24 questions: the rater says '<think> Well'"):
        score(stub.url, *records, parallel=4)
    assert len(stub.bodies) < 100


def test_what_was_answered_is_not_asked_again(serve: Callable[[Say], Stub], tmp_path: Path) -> None:
    shut = iter([False] * 7)

    def say(question: str) -> Reply:
        return (401, {}, {}) if next(shut, True) else digit_of(question)

    notes = tmp_path / "shards/notes.jsonl"
    records = [talk(f"question {n}", "x") for n in range(10)]
    with pytest.raises(MissingError):
        score(serve(say).url, *records, notes=notes, parallel=1)
    stub = serve(digit_of)
    found = score(stub.url, *records, notes=notes)
    assert len(stub.bodies) == 20 - 7
    assert found == score(serve(digit_of).url, *records)


# As a stage ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    root = tmp_path_factory.mktemp("deita")
    data = sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", POOL, Record)})
    return {"data": data, "model": model_in(tiny_model(root / "base"))}


def stage_config(url: str, **options: Any) -> Any:
    told = {"base_url": url, "model": "rater", **options}
    return build(Score.Config, {"signals": ["deita", "length"], "options": {"deita": told}, "shard_rows": 2})


def column(out: Path) -> dict[str, float]:
    return {row["id"]: row["deita"] for row in read_rows(out / "scores.parquet")}


def test_a_stopped_run_asks_nothing_twice(
    inputs: dict[str, Artifact], serve: Callable[[Say], Stub], tmp_path: Path
) -> None:
    """Three shards of four questions; the endpoint is gone after the seventh."""
    left = iter(range(7))

    def say(question: str) -> Reply:
        return (401, {}, {}) if next(left, None) is None else digit_of(question)

    first, second = serve(say), serve(digit_of)
    for name in ("whole", "again"):
        (tmp_path / name).mkdir()
    with pytest.raises(MissingError):
        Score().fill(tmp_path / "again", stage_config(first.url, parallel=1), inputs)
    Score().fill(tmp_path / "again", stage_config(second.url), inputs)
    assert len(second.bodies) == 12 - 7
    Score().fill(tmp_path / "whole", stage_config(second.url), inputs)
    assert (tmp_path / "again/scores.parquet").read_bytes() == (tmp_path / "whole/scores.parquet").read_bytes()
    assert len(set(column(tmp_path / "whole").values())) > 2
    assert not (tmp_path / "whole/shards").exists()


def test_parts_make_the_same_table(inputs: dict[str, Artifact], serve: Callable[[Say], Stub], tmp_path: Path) -> None:
    stub = serve(digit_of)
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    for part in (1, 0):
        Score().share(tmp_path / "parts", stage_config(stub.url), inputs, part, 2)
    Score().fill(tmp_path / "parts", stage_config(stub.url), inputs)
    assert len(stub.bodies) == 12
    Score().fill(tmp_path / "whole", stage_config(stub.url), inputs)
    assert column(tmp_path / "parts") == column(tmp_path / "whole")


def test_an_endpoint_has_to_be_named() -> None:
    with pytest.raises(ConfigError) as err:
        build(Score.Config, {"signals": ["deita"]})
    assert "options.deita.base_url: field required" in str(err.value)
    assert "options.deita.model: field required" in str(err.value)
    assert "deita" not in build(Score.Config, {}).signals


def test_how_fast_it_asks_and_where_the_key_is_change_no_result() -> None:
    plain, fast = (stage_config("http://here/v1", **more) for more in ({}, {"parallel": 64, "key_env": "SOME_KEY"}))
    assert result_fields(plain) == result_fields(fast)
    assert result_fields(plain) != result_fields(stage_config("http://here/v1", over="mean"))


def test_no_key_is_written_or_said(
    inputs: dict[str, Artifact],
    serve: Callable[[Say], Stub],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RATER_KEY", "sk-very-secret")
    stub, config = serve(digit_of), lambda: stage_config(stub.url, key_env="RATER_KEY")
    made = sealed(tmp_path, "scores", lambda out: Score().fill(out, config(), inputs), inputs)
    assert set(stub.keys) == {"Bearer sk-very-secret"}
    assert not [p for p in made.path.rglob("*") if p.is_file() and b"very-secret" in p.read_bytes()]
    assert "very-secret" not in "".join(capfd.readouterr())
