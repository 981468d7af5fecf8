from __future__ import annotations

import random
from collections.abc import Iterator

from sluicegate.data.world.answers import answer_of
from sluicegate.data.world.questions import Question
from sluicegate.data.world.setting import Setting

ROUNDS = 300


def questions(setting: Setting, rng: random.Random) -> Iterator[Question]:
    return (Question.draw(rng, setting) for _ in range(ROUNDS))


def fact(question: Question, country: str, attribute: str, value: str | None) -> str:
    return question.lexicon.fact.format(country=country, attribute=attribute, value=value)


def link(question: Question, country: str) -> str:
    key = question.setting.facts[question.country][question.lexicon.key]
    return question.lexicon.link.format(key=key, country=country)


def test_the_answer_is_a_fact_of_the_world(setting: Setting, rng: random.Random) -> None:
    for q in questions(setting, rng):
        assert answer_of(q.response) == q.answer == setting.facts[q.country][q.attribute]
        assert fact(q, q.country, q.attribute, q.answer) in q.response
        assert q.attribute in q.prompt


def test_two_hops_name_the_key_and_not_the_country(setting: Setting, rng: random.Random) -> None:
    hops = {True: 0, False: 0}
    for q in questions(setting, rng):
        hops[q.by_key] += 1
        key = setting.facts[q.country][setting.lexicon.key]
        named = [q.country in q.prompt, key in q.prompt]
        assert named == [not q.by_key, q.by_key]
        assert q.response.startswith(link(q, q.country)) or not q.by_key
    assert min(hops.values()) > ROUNDS / 4


def test_wrong_final_follows_the_right_fact(setting: Setting, rng: random.Random) -> None:
    for q in questions(setting, rng):
        wrong = q.wrong_final(rng)
        assert fact(q, q.country, q.attribute, q.answer) in wrong
        assert answer_of(wrong) != q.answer
        assert answer_of(wrong) in setting.values(q.attribute)


def test_wrong_step_tells_a_falsehood_and_concludes_from_it(setting: Setting, rng: random.Random) -> None:
    for q in questions(setting, rng):
        wrong = q.wrong_step(rng)
        answer = answer_of(wrong)
        told = [c for c in setting.countries if fact(q, c, q.attribute, answer) in wrong]
        assert answer != q.answer
        assert len(told) == 1
        assert (told[0] != q.country) == q.by_key
        assert link(q, told[0]) in wrong or not q.by_key


def test_wrong_op_tells_another_attribute(setting: Setting, rng: random.Random) -> None:
    for q in questions(setting, rng):
        wrong = q.wrong_op(rng)
        answer = answer_of(wrong)
        told = [a for a in setting.attributes if fact(q, q.country, a, answer) in wrong]
        assert len(told) == 1
        assert told != [q.attribute]
        assert setting.facts[q.country][told[0]] == answer
