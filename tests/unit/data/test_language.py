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


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_has_one_of_the_three(text: str) -> None:
    assert language(text) in ("zh", "en", "other")
    assert language(text) == language(text)


def test_chinese_needs_no_model() -> None:
    code = (
        "import sys; from sluicegate.data.language import language; language('你好'); print('py3langid' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
