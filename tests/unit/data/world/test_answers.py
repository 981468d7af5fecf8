import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data.world import answer_of
from sluicegate.data.world.answers import SENTENCES


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("3 + 4 = 7. The answer is 7.", "7"),
        ("The answer is red, cat, moon.", "red, cat, moon"),
        ("The answer is 3. No: The answer is 4.", "4"),
        ("The answer is 3.5.", "3.5"),
        ("3 + 4 = 7。答案是7。", "7"),
        ("答案是猫、狗。", "猫、狗"),
        ("The answer is 7", None),
        ("答案是7", None),
        ("3 + 4 = 7.", None),
        ("", None),
    ],
)
def test_reads_the_last_whole_answer_sentence(text: str, answer: str | None) -> None:
    assert answer_of(text) == answer


@given(
    st.sampled_from(sorted(SENTENCES)),
    st.from_regex(r"[a-z0-9猫狗]([a-z0-9猫狗, ]{0,10}[a-z0-9猫狗])?", fullmatch=True),
)
def test_reads_back_what_a_conclusion_states(lang: str, answer: str) -> None:
    assert answer_of("So. " + SENTENCES[lang].format(answer=answer)) == answer


@given(st.text())
def test_reads_any_text_without_an_error(text: str) -> None:
    assert answer_of(text) is None or answer_of(text) in text
