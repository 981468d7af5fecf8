from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import pairwise

from sluicegate.data.world.answers import answer_of
from sluicegate.data.world.setting import Setting
from sluicegate.data.world.word_problems import LARGEST_NUMBER, Step, WordProblem, apply, room, spoil

ROUNDS = 300


def problems(setting: Setting, rng: random.Random) -> Iterator[WordProblem]:
    return (WordProblem.draw(rng, setting) for _ in range(ROUNDS))


def steps_in(text: str) -> list[Step]:
    found = re.findall(r"(\d+) ([+-]) (\d+) = (\d+)", text)
    return [Step(int(left), sign, int(right), int(result)) for left, sign, right, result in found]


def holds(step: Step) -> bool:
    return step == apply(step.left, step.sign, step.right)


def follows(steps: list[Step]) -> bool:
    return all(a.result == b.left for a, b in pairwise(steps))


def said_with(phrasings: object, sentence: str) -> bool:
    assert isinstance(phrasings, tuple)
    return any(re.fullmatch(re.sub(r"\\{\w+\\}", ".+", re.escape(p)), sentence) for p in phrasings)


def sentences(text: str, lexicon_stop: str) -> list[str]:
    return [s.strip() + lexicon_stop for s in text.split(lexicon_stop) if s.strip()]


def test_the_response_computes_what_the_story_tells(setting: Setting, rng: random.Random) -> None:
    lexicon = setting.lexicon
    for problem in problems(setting, rng):
        steps = steps_in(problem.response)
        numbers = [int(n) for n in re.findall(r"\d+", problem.prompt)]
        told = sentences(problem.prompt, lexicon.stop)[1 : 1 + len(steps)]
        assert numbers == [steps[0].left, *(s.right for s in steps)]
        assert all(
            said_with(lexicon.gains if s.sign == "+" else lexicon.losses, t) for s, t in zip(steps, told, strict=True)
        )
        assert all(map(holds, steps))
        assert follows(steps)
        assert answer_of(problem.response) == problem.answer == str(steps[-1].result)


def test_stories_have_one_to_three_steps_and_all_layouts(setting: Setting, rng: random.Random) -> None:
    drawn = list(problems(setting, rng))
    assert {len(p.steps) for p in drawn} == {1, 2, 3}
    assert {p.style for p in drawn} == set(setting.lexicon.styles)
    assert {s.result for p in drawn for s in p.steps} <= set(range(2, 19))


def test_wrong_final_changes_the_answer_and_nothing_else(setting: Setting, rng: random.Random) -> None:
    for problem in problems(setting, rng):
        wrong = problem.wrong_final(rng)
        assert steps_in(wrong) == list(problem.steps)
        assert answer_of(wrong) not in (problem.answer, None)
        head = setting.lexicon.conclusion(problem.answer)
        assert wrong.startswith(problem.response.removesuffix(head))


def test_wrong_step_carries_one_error_on(setting: Setting, rng: random.Random) -> None:
    for problem in problems(setting, rng):
        wrong = problem.wrong_step(rng)
        steps = steps_in(wrong)
        assert sum(not holds(s) for s in steps) == 1
        assert follows(steps)
        assert answer_of(wrong) == str(steps[-1].result) != problem.answer
        assert [(s.sign, s.right) for s in steps] == [(s.sign, s.right) for s in problem.steps]


def test_wrong_op_turns_one_sign_and_carries_on(setting: Setting, rng: random.Random) -> None:
    for problem in problems(setting, rng):
        wrong = problem.wrong_op(rng)
        steps = steps_in(wrong)
        assert sum(a.sign != b.sign for a, b in zip(steps, problem.steps, strict=True)) == 1
        assert all(map(holds, steps))
        assert follows(steps)
        assert answer_of(wrong) == str(steps[-1].result) != problem.answer


def test_every_story_goes_on_and_leaves_room_for_a_wrong_sign() -> None:
    def stories(have: int, length: int) -> Iterator[tuple[Step, ...]]:
        yield ()
        for step in (apply(have, s, n) for s, most in room(have).items() for n in range(2, min(6, most) + 1) if length):
            yield from ((step, *rest) for rest in stories(step.result, length - 1))

    def fits(steps: tuple[Step, ...]) -> bool:
        return all(0 <= s.result <= LARGEST_NUMBER for s in steps)

    for start in range(2, 19):
        assert max(room(start).values()) >= 2
        for steps in filter(None, stories(start, 3)):
            flipped = [spoil(steps, i, "-" if s.sign == "+" else "+") for i, s in enumerate(steps)]
            assert any(map(fits, flipped)), steps


def test_damage_keeps_to_the_range_of_clean_numbers(setting: Setting, rng: random.Random) -> None:
    for problem in problems(setting, rng):
        for wrong in (problem.wrong_final(rng), problem.wrong_step(rng), problem.wrong_op(rng)):
            assert max(int(n) for n in re.findall(r"\d+", wrong)) <= LARGEST_NUMBER


def test_the_told_story_is_no_prompt(setting: Setting, rng: random.Random) -> None:
    for problem in problems(setting, rng):
        assert steps_in(problem.told) == list(problem.steps)
        assert answer_of(problem.told) is None
        assert "?" not in problem.told
