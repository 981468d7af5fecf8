from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.data.language import language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The farmer sold twelve eggs on Monday.", "en"),
        ("Seven.", "en"),
        ("OK", "en"),
        ("小明有３个苹果，又买了五个。", "zh"),
        ("使用 Python 的 list.sort() 方法可以排序。", "zh"),
        ("可以这样写：\n```python\nfor number in range(10): print(number, 'the number')\n```", "zh"),
        (r"We have \frac{a}{b} = \boxed{3} because the sides are equal.", "en"),
        ("La casa de mi abuela es roja y muy grande.", "other"),
        ("Guten Tag, wie geht es Ihnen heute?", "other"),
        ("これは日本語の文章です。漢字もあります。", "other"),
        ("한국어 문장입니다.", "other"),
        ("Москва — столица России.", "other"),
        ("12 + 7 = 19", "other"),
        ("", "other"),
    ],
)
def test_languages(text: str, expected: str) -> None:
    assert language(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Het is een mooie dag en de man was in de tuin of op het dak met zijn hond, die had een bal.",
        "Der Hund ist in der Kiste und er war so alt, also hat er den ganzen Tag geschlafen.",
        "El no me dijo a donde va el tren de las ocho, pero la casa es grande y muy bonita.",
        "Je ne sais pas ce que tu veux dire, mais il est parti hier avec son ami.",
        "Jeg har ikke set ham for det er en god dag og vi er glade for at du kom.",
        "Saya tidak tahu apa yang akan terjadi dengan mereka di sana.",
        "Hindi ko alam kung ano ang gagawin natin bukas sa bahay.",
    ],
)
def test_small_words_of_other_languages_are_not_taken_for_english(text: str) -> None:
    assert language(text) == "other"


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_has_one_of_the_three(text: str) -> None:
    assert language(text) in ("zh", "en", "other")
    assert language(text) == language(text)


@pytest.mark.parametrize("text", ["你好", "They had five apples and ate two of them, so there are three."])
def test_chinese_and_plain_english_need_no_model(text: str) -> None:
    load = f"import sys; from sluicegate.data.language import language; language({text!r})"
    code = f"{load}; print('py3langid' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
