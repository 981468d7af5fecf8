from __future__ import annotations

import pytest

from sluicegate.evaluation.grading.wording import has_words


@pytest.mark.parametrize("text", ["odd", "no", "It is 5", "小鸟", "x is 5", "Total = 5"])
def test_words(text: str) -> None:
    assert has_words(text)


@pytest.mark.parametrize("text", ["xy", r"\frac{a}{b}", "sin x", "1 and 2", r"\begin{pmatrix}1\end{pmatrix}", "5!", ""])
def test_mathematics(text: str) -> None:
    assert not has_words(text)
