"""Rows of our own for every form an answer has: what is right, and what only looks like it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sluicegate.evaluation.grading import Grader

FORMS: dict[str, list[tuple[str, list[str], list[str]]]] = {
    "thousands": [
        ("7425000", ["7,425,000", "7 425 000", "7,425,000.00", r"7{,}425{,}000", r"7,\!425,\!000"], ["7,425,001"]),
        ("1,023", ["1023", r"\boxed{1,023}", "1023.0"], ["1", "23", "10230"]),
    ],
    "plain numbers": [
        ("0.5", [".5", "0.50", "1/2", r"\frac{1}{2}", r"\frac 12"], ["0.05", "5", "2"]),
        ("7", ["007", "+7", "7.", "7.0"], ["-7", "70", "0.7"]),
        ("-12", ["−12", "- 12", "-12.0", "It is -12 degrees."], ["12"]),
        ("0", ["-0", "0.0", "0.00"], ["", "none"]),
        ("0.0000001", ["1e-7", r"10^{-7}"], ["0.0000002", "0"]),
        ("123456789012345678901234567890", ["123,456,789,012,345,678,901,234,567,890"], ["1" * 30]),
    ],
    "powers of ten": [
        ("1200", [r"1.2 \times 10^{3}", r"1.2\cdot10^3", "1.2 × 10^3", "1.2e3"], [r"1.2 \times 10^{4}", "1.2"]),
        (r"6.02\times10^{23}", ["6.02e23"], ["6.02e22"]),
    ],
    "money": [
        ("10", [r"\$10", "$10", "$10.00", "10€", "£10", "US$10", "10 dollars", "￥10", "10元"], ["$100", r"\$1"]),
        (r"\$1.25", ["1.25", "$1.25", "1.25 dollars"], ["1.2", "125"]),
    ],
    "units": [
        (
            "12",
            ["12 cm", r"12\text{ cm}^2", r"12\,\mathrm{cm}", "12m²", "12 square feet", "12 miles per hour"],
            ["13 cm"],
        ),
        ("12 cm", [r"12\text{ cm}", "12", "12 centimeters"], ["12 m", "12 kg"]),
        ("90", [r"90^\circ", r"90^{\circ}", "90°", "90 degrees"], ["9^\\circ"]),
        (r"5.4 \text{ cents}", ["5.4", "5.4 cents"], ["5.4 dollars", "54"]),
        (r"6\pi", [r"6\pi \text{ square units}", r"6\pi\text{ cm}^2"], [r"6\pi + 1"]),
        ("0.64N", [r"\frac{16}{25}N", "0.64 N"], ["0.64M"]),
    ],
    "mixed numbers": [
        ("7/2", ["3 1/2", r"3\frac{1}{2}", r"3\frac12", "3.5", "3½"], ["3/2", "31/2"]),
        ("-3.5", [r"-3\frac{1}{2}"], [r"3\frac{1}{2}"]),
    ],
    "percent": [
        (r"28\%", ["28%", "28 percent", "28 pct", "0.28", "28", r"$28\%$"], ["2.8%", "0.0028", "2800"]),
        ("0.6", ["60%", "60 per cent"], ["6%"]),
    ],
    "decimals of fractions": [
        ("2/3", ["0.6667", "0.666667"], ["0.67", "0.6767", "0.6666"]),
        ("0.1", ["0.1000000000000000055"], ["0.1001"]),
        (r"\frac{1}{16}", ["0.0625"], ["0.063", "0.06"]),
    ],
    "Markdown": [("18", ["**18**", "**$18**", "The answer is **18**.", "**Answer:** 18", "`18`"], ["**19**"])],
    "LaTeX": [
        (r"\frac{1}{2}", [r"\dfrac{1}{2}", r"\tfrac12", r"\frac1{2}", r"\left.\frac{1}{2}\right."], [r"\frac21"]),
        (r"2\sqrt{3}", [r"2\sqrt3", "2√3", r"2 \, \sqrt{3}", r"\sqrt{12}", "2*sqrt(3)"], [r"2\sqrt{4}", "23"]),
        (r"2\pi", ["2π", r"\pi \cdot 2", "2pi"], ["2", r"\pi"]),
        (r"A_{\max}", [r"A_{\text{max}}"], [r"A_{\min}"]),
    ],
    "expressions": [
        ("x^2+2x+1", ["(x+1)^2", "x**2 + 2*x + 1", "1 + 2x + x²"], ["x^2+2x", "x^2+2x+1+1"]),
        (r"\frac{a}{b}", ["a/b"], ["b/a"]),
        (r"3.0 \times 10^8 \mathrm{~m/s}", ["3e8", "300000000"], ["3e7"]),
        (r"a^{2}b", ["a*a*b", "ba^2"], ["ab^2"]),
        ("5", ["3+2", "x = 5", r"\sqrt{25}", "2 + 3 = 5"], ["3+3", "x"]),
        ("120", ["5!", r"\binom{16}{2}"], ["4!"]),
    ],
    "equations": [
        ("x = 5", ["5", "x=5.0"], ["y = 5", "x = 6"]),
        ("y = 2x + 1", ["2x+1", "y = 1 + 2x"], ["y = 2x"]),
        ("2x + 3y = 6", ["4x+6y=12", "6 = 2x + 3y"], ["6", "2x + 3y"]),
        ("x > 2", ["2 < x", r"x \gt 2", "(2, ∞)"], [r"x \ge 2", "x < 2"]),
        ("x=3, y=4", ["y = 4, x = 3", "(x, y) = (3, 4)"], ["x=4, y=3"]),
    ],
    "intervals": [
        ("(1,2)", [r"\left(1,2\right)", "(1.0, 2)", "1 < x < 2"], ["[1,2]", "(1,2]", "[1,2)", "(1,3)", "(2,1)"]),
        ("[0, 1)", ["[0,1)", r"x \in [0,1)", r"0 \le x < 1"], ["(0,1)", "[0,1]"]),
        (r"(-\infty, 3]", ["(-∞, 3]", "(-infinity, 3]"], [r"(-\infty, 3)", r"(\infty, 3]"]),
        (
            r"(-\infty,3)\cup(3,\infty)",
            [r"(3,\infty) \cup (-\infty,3)", "x < 3 or x > 3"],
            [r"(-\infty,3]\cup(3,\infty)"],
        ),
    ],
    "tuples": [
        (
            "(3, -1)",
            [r"\left( 3, -1 \right)", r"\langle 3, -1 \rangle", "(3.0,-1)", "x = 3, y = -1"],
            ["(-1, 3)", "(3, 1)", "(3, -1, 0)"],
        ),
        ("(1/2, 3)", [r"(0.5, 3)", r"(\frac{1}{2},3)"], ["(3, 1/2)"]),
    ],
    "sets and lists": [
        (r"\{1,2\}", [r"\{2,1\}", r"\left\{ 1, 2 \right\}", "1, 2", "2 and 1", "1; 2"], [r"\{1\}", r"\{1,2,3\}", "1"]),
        (r"\pm 3", ["3, -3", "-3 and 3", r"x = 3 \text{ or } x = -3"], ["3", "-3"]),
        (r"1 \pm \sqrt{2}", [r"1+\sqrt2, 1-\sqrt2"], [r"1+\sqrt2"]),
        ("2, 3, 5", [r"$\boxed{2}$, $\boxed{3}$ and $\boxed{5}$", "5, 3, 2"], ["2, 3", r"\boxed{2}. \boxed{3}"]),
    ],
    "matrices": [
        (
            r"\begin{pmatrix} 1 & \frac{1}{2} \\ 3 & 4 \end{pmatrix}",
            [r"\begin{bmatrix}1&0.5\\3&4\end{bmatrix}", r"\left[\begin{array}{cc}1 & 1/2 \\3 & 4\end{array}\right]"],
            [r"\begin{pmatrix}1 & 3 \\ 1/2 & 4\end{pmatrix}", r"\begin{pmatrix}1 & 1/2\end{pmatrix}", "(1, 1/2, 3, 4)"],
        ),
    ],
    "words": [
        (r"\text{Evelyn}", ["Evelyn", "evelyn", "The answer is Evelyn.", r"\boxed{\text{Evelyn}}"], ["Evelyns", "Eve"]),
        ("tea", ["Tea.", "The answer is tea."], ["eat", "The answer is eat.", "ate"]),
        ("moon, 3 fish", ["Moon, 3 fish", "The answer is moon, 3 fish."], ["3 fish, moon", "moon, fish", "3"]),
        (r"\text{(C)}", ["C", "(C)", "The answer is C because 3 is more.", "The correct option is C."], ["D", "CD"]),
    ],
    "times and bases": [
        ("12:00", ["12:00", "12 : 00"], ["1:00", "12"]),
        ("204_5", ["204_{5}", "204"], ["204_7", "205_5"]),
    ],
    "Chinese": [
        ("12000", ["1.2万", "一万二千", "１２０００", "共12,000米。", "1.2万元"], ["1.2亿", "12万"]),
        ("20%", ["百分之二十", "百分之20", "２０％"], ["百分之二"]),
        ("1/3", ["三分之一", "3分之1", "答案是三分之一。"], ["三分之二", "四分之一"]),
        (
            "320",
            ["三百二十", "三百二十个", "答：320颗。", "甲乙两地相距320千米。", "最终答案：三百二十元"],
            ["三百零二"],
        ),
        ("300000000", ["3亿", "三亿"], ["3万"]),
        ("2,3", ["2和3", "3或2", "2、3"], ["2"]),
        ("3", ["因此，小明比小红多 **3页**。", "答：还剩3个苹果。", "所以$5-2=3$（个）。"], ["答：还剩5个苹果。"]),
        ("小鸟", ["小鸟。", "答案是小鸟。"], ["小狗", "鸟小"]),
    ],
}
CASES = [(gold, reply, right) for rows in FORMS.values() for gold, *both in rows
         for right, replies in zip((True, False), both, strict=True) for reply in replies]  # fmt: skip


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    made = Grader(Grader.Config(seconds=60.0))
    yield made
    made.algebra.close()


@pytest.mark.parametrize(("gold", "reply", "right"), CASES)
def test_form(grader: Grader, gold: str, reply: str, right: bool) -> None:
    graded = grader.grade(reply, gold)
    assert graded.is_correct == right, graded


@pytest.mark.parametrize("gold", [gold for rows in FORMS.values() for gold, _, _ in rows])
@pytest.mark.parametrize("way", ["{}", r"\boxed{{{}}}", "So:\n#### {}", "<answer>{}</answer>", "The answer is {}."])
def test_a_gold_answer_is_right_in_every_wrapping(grader: Grader, gold: str, way: str) -> None:
    assert grader.grade(way.format(gold), gold).flexible
