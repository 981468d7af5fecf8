"""Questions as they are put to a model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluicegate.data.shapes.latex import last_boxed
from sluicegate.errors import ConfigError, UnknownName
from sluicegate.evaluation.task import Task, load_task, tasks
from sluicegate.schema import Message, Record
from sluicegate.testing import check_config, tiny_pool

USER: Message = {"role": "user", "content": "What is 2 + 2?"}
GOLD: Message = {"role": "assistant", "content": "4"}


def row(*messages: Message, **meta: object) -> Record:
    return {**tiny_pool(1)[0], "messages": list(messages), "meta": json.dumps(meta)}


def test_a_plain_question_stays_as_it_is() -> None:
    turns: list[Message] = [{"role": "system", "content": "Be kind."}, USER, GOLD, USER]
    assert load_task("plain").messages(row(*turns, GOLD)) == turns


@pytest.mark.parametrize("name", tasks())
@pytest.mark.parametrize("think", [True, False])
def test_every_task_asks_the_question_behind_its_examples(name: str, think: bool) -> None:
    task = load_task(name)
    told = task.messages(row(USER, GOLD), think=think, shots=2)
    examples = task.examples[:2]
    assert [turn["role"] for turn in told] == ["user", "assistant"] * len(examples) + ["user"]
    assert USER["content"] in told[-1]["content"]
    instruction = task.think if think else task.direct
    assert all(instruction in turn["content"] for turn in told[::2])
    for example, turn in zip(examples, told[1::2], strict=False):
        assert (example.thought in turn["content"]) == think
        assert turn["content"].endswith(example.answer)


@pytest.mark.parametrize("name", [name for name in tasks() if load_task(name).examples])
def test_the_steps_of_an_example_end_in_its_answer(name: str) -> None:
    for example in load_task(name).examples:
        answer = last_boxed(example.answer)
        assert answer
        assert answer.strip("[]").split(",")[0] in example.thought


def test_a_task_of_ones_own_reads_the_meta_of_a_row_and_extends_a_packaged_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("extends: gsm8k\nabout: Mine.\nprompt: '{{ level }}: {{ question }} {{ instruction }}'\n")
    task = load_task(str(path))
    (turn,) = task.messages(row(USER, GOLD, level=3))
    assert turn["content"] == f"3: What is 2 + 2? {load_task('gsm8k').think}"
    assert task.examples == load_task("gsm8k").examples


@pytest.mark.parametrize(
    ("text", "told"),
    [("prompt: x", "about"), ("about: x\nporompt: y", "prompt"), ("- a", "holds no keys"), ("a: [", "is not YAML")],
)
def test_a_file_that_is_no_task_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=told):
        load_task(str(path))


def test_a_misspelt_task_is_told_with_a_hint() -> None:
    with pytest.raises(UnknownName) as err:
        load_task("gsm8")
    assert "gsm8k" in err.value.hint


def test_a_template_cannot_reach_out_of_its_sandbox() -> None:
    task = Task(about="x", prompt="{{ ''.__class__.__mro__[1].__subclasses__() }}")
    with pytest.raises(Exception, match="unsafe"):
        task.messages(row(USER, GOLD))


def test_every_key_has_its_help() -> None:
    check_config(Task)
