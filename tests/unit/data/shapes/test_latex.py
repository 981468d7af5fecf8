from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluicegate.data.shapes.latex import last_boxed, plain


@pytest.mark.parametrize(
    ("solution", "answer"),
    [
        (r"so $\boxed{12}$.", "12"),
        (r"\boxed{1} then \boxed{\left( 3, \frac{\pi}{2} \right)}", r"\left( 3, \frac{\pi}{2} \right)"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\fbox{7}", "7"),
        (r"$\boxed 9$", "9"),
        (r"\boxed{}", None),
        (r"\boxed{\frac{1}{2}", None),
        (r"\boxed", None),
        ("none", None),
    ],
)
def test_the_last_box_holds_the_answer(solution: str, answer: str | None) -> None:
    assert last_boxed(solution) == answer


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"$x^2 \le 4$, so \[x \in [-2, 2].\]", "x^2 ≤ 4, so x ∈ [-2, 2]."),
        (r"\frac{1}{2} + \dfrac12 + \frac{\sqrt{3}}{2}", "(1)/(2) + (1)/(2) + (√(3))/(2)"),
        (r"\sqrt[3]{8} = 2", "3√(8) = 2"),
        (r"The area is $\boxed{6\text{ cm}^2}$.", "The area is 6 cm^2."),
        ("See [asy]\ndraw(A--B);\n[/asy] above.", "See above."),
        (r"\left( 1, 2 \right)", "( 1, 2 )"),
        (r"$2^{n+1} \cdot a_{i} = b_{x^{2}}$", "2^(n+1) · a_i = b_(x^2)"),
        (r"60\% of \$20, the set $\{1, 2\}$", "60% of $20, the set {1, 2}"),
        (r"\begin{align*} a &= b \\ &= c \end{align*}", "a = b = c"),
        ("no LaTeX at all", "no LaTeX at all"),
    ],
)
def test_plain_text_has_no_commands(latex: str, text: str) -> None:
    assert plain(latex) == text


@given(st.text(st.sampled_from("\\{}[]$^_fracsqtbox12 ")))
def test_any_text_becomes_plain(latex: str) -> None:
    text = plain(latex)
    assert text == " ".join(text.split())
    assert not re.search(r"\\[a-z]", text)
