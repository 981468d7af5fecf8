from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.evaluation.grading.spelling import spell


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        (r"**$\dfrac12\,$**", r"\frac{1}{2}"),
        (r"\left( 3, \frac{\pi}{2} \right)", r"( 3, \frac{\pi}{2} )"),
        (r"14{,}916", "14,916"),
        (r"32,\! 349", "32,349"),
        (r"12\,345", "12,345"),
        (r"\sqrt3 + \sqrt{4}", r"\sqrt{3} + \sqrt{4}"),
        (r"\frac1{72}", r"\frac{1}{72}"),
        (r"\\frac{1}{2}", r"\frac{1}{2}"),
        (r"\begin{matrix}1\\x\end{matrix}", r"\begin{matrix}1\\x\end{matrix}"),
        ("１，２００。", "1,200"),
        ("x**2", "x^2"),
        ("x != 5", r"x \ne 5"),
        (r"6 \text{ and } 8", "6, 8"),
        ("1或2", "1, 2"),
        (r"k_{\mathrm{B}} T_s", "k_{B} T_{s}"),
        (r"R_{\odot}", "R_{odot}"),
        ("<answer>84</answer>", "84"),
        (r"\$10", "10"),
    ],
)
def test_one_spelling(text: str, spelled: str) -> None:
    assert spell(text) == spelled


@settings(deadline=None)
@given(st.text("\\{}()$,. *_frac12xtbeginand，。和"))
def test_no_text_breaks_it(text: str) -> None:
    assert spell(text) == spell(f"  {text}\n")
