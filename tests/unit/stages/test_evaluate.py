from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluicegate.artifacts import Artifact, external, write_table
from sluicegate.config import build
from sluicegate.errors import ConfigError, DataError
from sluicegate.evaluation import asking
from sluicegate.models.generate import Reply
from sluicegate.models.load import Loaded
from sluicegate.models.sampling import Sampling
from sluicegate.schema import Record, make_record
from sluicegate.stages.evaluate import Evaluate
from sluicegate.stages.sft import Sft
from sluicegate.testing import check_stage, sealed, tiny_model, tiny_pool


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return external(tiny_model(tmp_path_factory.mktemp("model")), "model-external-0")


def data_of(root: Path, records: list[Record]) -> Artifact:
    return sealed(root, "messages", lambda out: {"rows": write_table(out / "messages.parquet", records, Record)})


def evaluate(model: Artifact, data: Artifact, out: Path, **config: Any) -> dict[str, Any]:
    out.mkdir()
    return Evaluate().fill(out, build(Evaluate.Config, config), {"model": model, "data": data})


def metrics_of(out: Path) -> dict[str, Any]:
    return json.loads((out / "metrics.json").read_text(encoding="utf-8"))


def row(asked: str, said: str, answer: str | None, source: str = "sums") -> Record:
    turns: Any = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    return make_record(turns, source, "en", answer)


def test_the_contract(model: Artifact, tmp_path: Path) -> None:
    made = check_stage(
        Evaluate, {"max_new_tokens": 8}, {"model": model, "data": data_of(tmp_path, tiny_pool(10))}, tmp_path / "made"
    )
    assert set(made.stats) == {"n", "accuracy", "loss"}
    files = {entry["path"] for entry in made.manifest["files"]}
    assert files == {"metrics.json", "predictions.parquet", "predictions.head.jsonl", "summary.md", "summary.csv"}


@pytest.fixture
def canned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Prompts the model is asked; it replies what the last word of each is, taken from `REPLIES`."""
    asked: list[str] = []

    def replies(loaded: Loaded, prompts: dict[int, list[int]], sampling: Sampling, _: int) -> Iterator[Any]:
        texts = {place: str(loaded.tokenizer.decode(prompt)) for place, prompt in prompts.items()}
        asked.extend(texts.values())
        said = {place: next(REPLIES[q] for q in REPLIES if q in text) for place, text in texts.items()}
        most = sampling.max_new_tokens
        yield {place: Reply(t, len(t), "length" if len(t) > most else "end") for place, t in said.items()}

    monkeypatch.setattr(asking, "batches_of_replies", replies)
    return asked


REPLIES = {
    "2 + 2?": "2 + 2 = 4. The answer is 4.",
    "2 + 3?": "The answer is 6.",
    "3 + 3?": "Who knows.",
    "3 + 4?": "Let us go step by step, " * 4,
    "Capital?": "Rozu",
}


def test_accuracy_by_hand(canned: list[str], model: Artifact, tmp_path: Path) -> None:
    rows = [row(asked, "The answer is 7.", str(4 + n)) for n, asked in enumerate(list(REPLIES)[:4])]
    rows += [row("Capital?", "It is Rozu.", "Rozu", "kb"), row("Write a poem.", "Roses.", None, "poems")]
    stats = evaluate(model, data_of(tmp_path, rows), tmp_path / "out", max_new_tokens=64)
    metrics = metrics_of(tmp_path / "out")
    assert stats == {"n": 6, "accuracy": 0.4, "loss": metrics["loss"]}
    counted = {name: (t["n"], t["graded"], t["accuracy"]) for name, t in metrics["by_source"].items()}
    assert counted == {"kb": (1, 1, 1.0), "poems": (1, 0, None), "sums": (4, 4, 0.25)}
    assert metrics["errors"] == {"no answer": 1, "truncated": 1, "wrong value": 1}
    assert (metrics["no_answer"], metrics["truncated"]) == (0.4, 0.2)
    predictions = predictions_of(tmp_path / "out")
    assert [p["error"] for p in predictions] == ["", "wrong value", "no answer", "truncated", "", None]
    assert [p["extracted"] for p in predictions] == ["4", "6", None, None, "Rozu", None]
    assert [p["correct"] for p in predictions] == [True, False, False, False, True, None]
    assert [p["truncated"] for p in predictions] == [False, False, False, True, False, None]
    assert [p["n_tokens"] for p in predictions[:2]] == [len(REPLIES["2 + 2?"]), len(REPLIES["2 + 3?"])], "bytes"
    assert len(canned) == 5, "a row without an answer is not asked"
    assert all("The answer is 7." not in text and "It is Rozu." not in text for text in canned), "no gold in a prompt"


def predictions_of(out: Path) -> list[dict[str, Any]]:
    return pq.read_table(out / "predictions.parquet").to_pylist()


def test_a_model_that_learnt_one_answer_by_heart_is_right_where_it_is_the_answer(
    model: Artifact, tmp_path: Path
) -> None:
    taught = [row(f"What is {n} plus {n}?", "The answer is 4.", "4") for n in range(8)]
    asked = [row(f"What is {n} minus {n}?", "Some reply.", "4" if n < 3 else "0") for n in range(4)]
    learnt = tmp_path / "learnt"
    learnt.mkdir()
    settings = {"method": "full", "max_steps": 60, "total_batch": 8, "device_batch_size": 8, "learning_rate": 2e-2}
    Sft().fill(learnt, build(Sft.Config, settings), {"model": model, "data": data_of(tmp_path / "taught", taught)})
    stats = evaluate(
        external(learnt, "model-external-1"), data_of(tmp_path, asked), tmp_path / "out", max_new_tokens=40
    )
    assert stats["accuracy"] == 0.75
    assert [p["output"] for p in predictions_of(tmp_path / "out")] == ["The answer is 4."] * 4, "and it stops there"


def test_a_chat_is_asked_with_the_turns_before_its_last_reply(
    canned: list[str], model: Artifact, tmp_path: Path
) -> None:
    turns = [("user", "Hello."), ("assistant", "Hi."), ("user", "2 + 2?"), ("assistant", "The answer is 4.")]
    chat: Any = [{"role": role, "content": text} for role, text in [*turns, ("user", "Thanks.")]]
    evaluate(model, data_of(tmp_path, [make_record(chat, "chat", "en", "4")]), tmp_path / "out")
    assert canned == ["User:\nHello.\n\nAssistant:\nHi.<|endoftext|>\n\nUser:\n2 + 2?\n\nAssistant:\n"]
    (prediction,) = predictions_of(tmp_path / "out")
    assert prediction["prompt"] == "user: Hello.\nassistant: Hi.\nuser: 2 + 2?"
    assert prediction["correct"]


def test_without_answers_there_is_a_loss_and_no_accuracy(canned: list[str], model: Artifact, tmp_path: Path) -> None:
    document: Any = [{"role": "assistant", "content": "A text of its own."}]
    rows = [row("Write a poem.", "Roses are red.", None), make_record(document, "text", "en")]
    stats = evaluate(model, data_of(tmp_path, rows), tmp_path / "out")
    assert stats["accuracy"] is None
    assert stats["loss"] > 0
    assert metrics_of(tmp_path / "out")["errors"] == {}
    assert canned == []
    predictions = predictions_of(tmp_path / "out")
    assert [p["correct"] for p in predictions] == [None, None]
    total = sum(p["loss"] * p["n_label_tokens"] for p in predictions)
    assert stats["loss"] == pytest.approx(total / sum(p["n_label_tokens"] for p in predictions), abs=1e-5)


def test_a_reply_that_was_cut_off_has_no_loss(canned: list[str], model: Artifact, tmp_path: Path) -> None:
    rows = [row("Write a long poem, " * 20, "Roses are red.", None), row("Poem?", "Roses.", None)]
    evaluate(model, data_of(tmp_path, rows), tmp_path / "out", max_length=40)
    cut, whole = predictions_of(tmp_path / "out")
    assert (cut["loss"], cut["n_label_tokens"]) == (None, 0)
    assert whole["loss"] == pytest.approx(metrics_of(tmp_path / "out")["loss"], abs=1e-5)
    schema = pq.read_schema(tmp_path / "out" / "predictions.parquet")
    assert schema.field("loss").type == pa.float32()


def test_max_rows_draws_the_same_questions_for_every_model(model: Artifact, tmp_path: Path) -> None:
    data = data_of(tmp_path, tiny_pool(24))
    other = external(tiny_model(tmp_path / "llama", "llama", seed=1), "model-external-1")

    def asked(name: str, model: Artifact, **config: Any) -> list[str]:
        stats = evaluate(model, data, tmp_path / name, max_rows=6, max_new_tokens=1, **config)
        assert stats["n"] == 6
        return [p["id"] for p in predictions_of(tmp_path / name)]

    first = asked("one", model)
    assert asked("two", other) == first
    assert asked("three", model, seed=1) != first
    everything = [record["id"] for record in data.rows("messages")]
    assert sorted(first, key=everything.index) == first, "in the order of the data"


def test_summaries_say_what_the_metrics_say(canned: list[str], model: Artifact, tmp_path: Path) -> None:
    rows = [row("2 + 2?", "4", "4", "a|b"), row("2 + 3?", "5", "5", "a|b"), row("Poem?", "Roses.", None, "poems")]
    evaluate(model, data_of(tmp_path, rows), tmp_path / "out")
    loss = metrics_of(tmp_path / "out")["loss"]
    text = (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")
    assert r"| a\|b | 2 | 2 | 50.0% | 35.4% |" in text
    assert "| poems | 1 | 0 | – |" in text
    assert f"{loss:.4f} nats" in text
    assert "Errors: wrong value 1." in text
    with (tmp_path / "out" / "summary.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    total = {"part": "source", "name": "all", "n": "3", "graded": "2", "accuracy": "0.5", "loss": str(loss)}
    assert total.items() <= table[-1].items()
    assert table[1]["accuracy"] == ""


def test_levels_and_types_are_told_where_the_data_says_so(canned: list[str], model: Artifact, tmp_path: Path) -> None:
    rows = [row("2 + 2?", "4", "4"), {**row("2 + 3?", "5", "5"), "meta": '{"level": "Level 3", "type": "Algebra"}'}]
    evaluate(model, data_of(tmp_path, [*rows, {**row("3 + 3?", "6", "6"), "meta": '{"grade": 2}'}]), tmp_path / "out")
    metrics = metrics_of(tmp_path / "out")
    assert {name: t["accuracy"] for name, t in metrics["by_level"].items()} == {"2": 0.0, "Level 3": 0.0}
    assert list(metrics["by_type"]) == ["Algebra"]
    assert "| type | rows |" in (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")


def test_the_verdict_that_counts_is_for_the_config_to_say(canned: list[str], model: Artifact, tmp_path: Path) -> None:
    data = data_of(tmp_path, [row("2 + 2?", "4", "4.0")])
    lenient = evaluate(model, data, tmp_path / "lenient")
    strict = evaluate(model, data, tmp_path / "strict", grading={"counts": "strict"})
    assert (lenient["accuracy"], strict["accuracy"]) == (1.0, 0.0)
    assert metrics_of(tmp_path / "strict")["flexible"] == 1.0, "the others are told beside it"


def test_no_rows_is_an_error(model: Artifact, tmp_path: Path) -> None:
    data = data_of(tmp_path, [])
    with pytest.raises(DataError, match=f"{data.id}: no rows"):
        evaluate(model, data, tmp_path / "out")


def test_a_dry_run_knows_the_most_it_can_take() -> None:
    def told(rows: int, **options: int) -> dict[str, int]:
        return Evaluate().estimate(build(Evaluate.Config, options), {"data": {"rows": rows}})

    assert told(50, max_new_tokens=32) == {"rows": 50, "tokens": 1600}
    assert told(50, max_new_tokens=32, max_rows=10) == {"rows": 10, "tokens": 320}
    assert told(5, max_new_tokens=32, max_rows=10)["rows"] == 5


# Tasks, several replies, choices, the past ----------------------------------------------------------------------------


def test_a_task_decides_how_a_question_is_put(canned: list[str], model: Artifact, tmp_path: Path) -> None:
    data = data_of(tmp_path, [row("2 + 2?", "4", "4")])
    for n, config in enumerate(({"task": "gsm8k"}, {"task": "gsm8k", "think": False}, {"task": "gsm8k", "shots": 2})):
        evaluate(model, data, tmp_path / str(n), **config)
    plain, direct, shown = canned
    assert "step by step" in plain
    assert "Do not explain" in direct
    assert shown.count("Reason step by step") == 3
    assert shown.endswith(plain)
    assert build(Evaluate.Config, {"task": "math"}) != build(Evaluate.Config, {"task": "math500"})
    pins = [Evaluate().pins(build(Evaluate.Config, {"task": task})) for task in ("plain", "gsm8k")]
    assert pins[0] != pins[1]


def test_of_several_replies_the_most_frequent_answer_counts(
    model: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {0: ["4", "5", "4"], 1: ["7", "8", "9"]}

    def replies(_: Any, prompts: dict[int, list[int]], *__: Any) -> Iterator[Any]:
        yield {place: Reply(f"It is {said[place // 3][place % 3]}.", 5, "end") for place in prompts}

    monkeypatch.setattr(asking, "batches_of_replies", replies)
    data = data_of(tmp_path, [row("2 + 2?", "4", "4"), row("4 + 4?", "8", "8")])
    config = {"samples": 3, "temperature": 1.0}
    stats = evaluate(model, data, tmp_path / "out", **config)
    metrics = metrics_of(tmp_path / "out")
    assert stats["accuracy"] == 0.5, "the second question's first answer is as frequent as the others"
    assert metrics["pass_at"] == {"1": 0.5, "2": round((1 + 2 / 3) / 2, 6), "3": 1.0}
    assert [(p["extracted"], p["n_correct"]) for p in predictions_of(tmp_path / "out")] == [("4", 2), ("7", 1)]
    samples = pq.read_table(tmp_path / "out" / "samples.parquet").to_pylist()
    assert [(s["sample"], s["correct"]) for s in samples] == [(0, 1), (1, 0), (2, 1), (0, 0), (1, 1), (2, 0)]
    assert "pass@3 100.0%" in (tmp_path / "out" / "summary.md").read_text()
    with pytest.raises(ConfigError, match="3 samples at temperature 0 are all the same"):
        build(Evaluate.Config, {"samples": 3})


def test_choices_are_weighed_or_asked_by_letter(canned: list[str], model: Artifact, tmp_path: Path) -> None:
    asked: Any = [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "four"}]
    record = make_record(asked, "quiz", "en", "B", {"choices": ["five hundred and one", "four"]})
    data = data_of(tmp_path, [record])
    evaluate(model, data, tmp_path / "weighed")
    (weighed,) = predictions_of(tmp_path / "weighed")
    assert (weighed["rule"], weighed["output"] in "AB", canned) == ("likelihood", True, [])
    assert weighed["correct"] == (weighed["output"] == "B")
    evaluate(model, data, tmp_path / "asked", choices="reply", task="choice")
    assert "A. five hundred and one\nB. four" in canned[0]


def test_questions_the_model_was_trained_on_are_counted(canned: list[str], model: Artifact, tmp_path: Path) -> None:
    long = "2 + 2? Think of four apples in two bowls on a table in the kitchen of my aunt."
    data = data_of(tmp_path, [row(long, "4", "4"), row("2 + 3?", "5", "5")])
    trained = sealed(tmp_path, "model", lambda out: {"n": len(str(tiny_model(out)))}, {"model": model, "data": data})
    evaluate(trained, data, tmp_path / "seen")
    assert [p["seen"] for p in predictions_of(tmp_path / "seen")] == [True, False]
    metrics = metrics_of(tmp_path / "seen")
    assert (metrics["seen"], metrics["accuracy"], metrics["accuracy_unseen"]) == (1, 0.5, 0.0)
    assert "1 of 2 questions stand in what the model was trained on" in (tmp_path / "seen" / "summary.md").read_text()
    evaluate(model, data, tmp_path / "unknown")
    assert metrics_of(tmp_path / "unknown")["seen"] is None
