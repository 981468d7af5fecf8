from __future__ import annotations

import random
from collections.abc import Iterator

from sluicegate.data.world.answers import answer_of
from sluicegate.data.world.list_tasks import ListTask
from sluicegate.data.world.setting import Setting

ROUNDS = 300


def tasks(setting: Setting, rng: random.Random) -> Iterator[ListTask]:
    return (ListTask.draw(rng, setting) for _ in range(ROUNDS))


def solve(task: ListTask) -> str:
    """The answer, read off the prompt alone."""
    lexicon = task.lexicon
    head, _, listed = task.prompt.rpartition(": " if lexicon.space else "：")
    items = listed.split(lexicon.comma)
    (operation,) = [o for o, asks in lexicon.list_prompts.items() if any(a.startswith(head) for a in asks)]
    answers = {"first": items[0], "second": items[1], "last": items[-1], "count": str(len(items))}
    return answers.get(operation) or lexicon.comma.join(reversed(items))


def test_the_answer_solves_the_prompt(setting: Setting, rng: random.Random) -> None:
    for task in tasks(setting, rng):
        assert answer_of(task.response) == task.answer == solve(task)
        assert len(task.items) in (3, 4)


def test_every_operation_comes_up(setting: Setting, rng: random.Random) -> None:
    assert {t.operation for t in tasks(setting, rng)} == set(setting.lexicon.list_prompts)


def test_wrong_final_contradicts_the_result_before_it(setting: Setting, rng: random.Random) -> None:
    for task in tasks(setting, rng):
        wrong = task.wrong_final(rng)
        assert task.lexicon.list_results[task.operation].format(answer=task.answer) in wrong
        assert answer_of(wrong) not in (task.answer, None)


def test_wrong_step_carries_the_wrong_result_on(setting: Setting, rng: random.Random) -> None:
    for task in tasks(setting, rng):
        wrong = task.wrong_step(rng)
        answer = answer_of(wrong)
        assert answer not in (task.answer, None)
        assert task.lexicon.list_results[task.operation].format(answer=answer) in wrong


def test_wrong_op_answers_another_question(setting: Setting, rng: random.Random) -> None:
    for task in tasks(setting, rng):
        wrong = task.wrong_op(rng)
        answer = answer_of(wrong)
        said = {o for o, text in task.lexicon.list_results.items() if text.format(answer=answer) in wrong}
        assert answer != task.answer
        assert len(said) == 1
        assert task.operation not in said


def test_damage_keeps_the_opening(setting: Setting, rng: random.Random) -> None:
    for task in tasks(setting, rng):
        for wrong in (task.wrong_final(rng), task.wrong_step(rng), task.wrong_op(rng)):
            assert wrong.startswith(task.opening)
