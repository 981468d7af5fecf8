from __future__ import annotations

import pickle

from sluicegate.data.decontaminate import Contamination, Hit
from sluicegate.schema import Message

LONG = "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. How many?"
CHINESE = "小明有十二个苹果，他给了小红三个，又买了五个，现在他一共有多少个苹果？"
SHORT = "What is 3 times 7 minus 1?"


def asked(*questions: str) -> list[list[Message]]:
    return [[Message(role="user", content=q), Message(role="assistant", content="So: the answer.")] for q in questions]


def index(n: int = 13) -> Contamination:
    return Contamination.of({"one": asked(LONG, SHORT), "two": asked(CHINESE, LONG, "Hi there!")}, n)


def hits(*texts: str, n: int = 13) -> dict[int, Hit]:
    return index(n).hits(asked(*texts))


def test_a_question_spelt_in_another_way_is_the_same() -> None:
    spelt = "  natalia sold CLIPS to 48 of her friends in april and then she sold half as many clips in May; how many"
    assert hits("A new question about 7 birds?", spelt) == {1: Hit("one", LONG, "")}
    assert hits(SHORT.replace("?", " ?!")) == {0: Hit("one", SHORT, "")}


def test_a_part_of_a_question_anywhere_in_a_row_is_a_hit_with_its_words() -> None:
    part = "I heard that she sold clips to 48 of her friends in April, and then she sold half of nothing."
    assert hits(part) == {0: Hit("one", LONG, "sold clips to 48 of her friends in april, and then she sold")}
    said = [Message(role="user", content="Go on."), Message(role="assistant", content=f"Well: {LONG[10:90]}")]
    assert index().hits([said])[0].set == "one"


def test_chinese_by_characters() -> None:
    (hit,) = hits("请看：小明有十二个苹果，他给了小红三个，就走了。").values()
    assert (hit.set, hit.question, hit.ngram) == ("two", CHINESE, "小明有十二个苹果，他给了小红")


def test_fewer_words_in_common_are_none_unless_asked_for() -> None:
    part = "She sold clips to 48 of her friends in May."
    assert hits(part) == {}
    assert hits(part, n=8) != {}


def test_short_questions_that_anybody_asks_are_no_hit_and_no_short_ngrams_are() -> None:
    assert hits("Hi there!", "What is 3 times 7", "", "!!!") == {}


def test_documents_are_looked_up_as_a_whole() -> None:
    document = [Message(role="assistant", content=LONG)]
    assert Contamination.of({"web": [document]}).hits(asked(LONG)) == {0: Hit("web", LONG, "")}
    assert index().hits([document]) == {0: Hit("one", LONG, "")}


def test_the_rows_beside_a_row_do_not_matter_and_neither_does_the_process() -> None:
    texts = [LONG, "nothing", CHINESE[3:], SHORT, f"so {LONG[20:]}"]
    sent = pickle.loads(pickle.dumps(index()))
    assert [sent.hits(asked(text)).get(0) for text in texts] == [hits(*texts).get(at) for at in range(5)]


def test_nothing_is_in_nothing() -> None:
    assert Contamination.of({"none": []}).hits(asked(LONG)) == {}
    assert index().hits([]) == {}
