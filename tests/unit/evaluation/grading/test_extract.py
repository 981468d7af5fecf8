from __future__ import annotations

import pytest

from sluicegate.evaluation.grading.extract import RULES, extract, last_words


@pytest.mark.parametrize(
    ("reply", "rule", "answer"),
    [
        (r"So \boxed{\frac{1}{2}}, and not 7.", "boxed", r"\frac{1}{2}"),
        (r"First \boxed{999}, but checking again gives \boxed{45}.", "boxed", "45"),
        (r"$\boxed{2}$, $\boxed{3}$ and $\boxed{5}$", "boxed", "2, 3, 5"),
        (r"\boxed{7} papers and \boxed{4} bins", "boxed", "7, 4"),
        (r"\boxed{7}. I check: \boxed{7}", "boxed", "7"),
        (r"\boxed{\{1, \{2\}\}}", "boxed", r"\{1, \{2\}\}"),
        (r"\fbox 5", "boxed", "5"),
        ("so \\boxed{12 apples\nAnd more.", "boxed", "12 apples"),
        ("<answer> 12 </answer> I hope.", "tagged", "12"),
        (r"<answer>It is $\frac12$</answer>", "tagged", r"\frac12"),
        ("16 - 3 = 13\n#### 13", "hashes", "13"),
        ("#### 12\nNo, wait.\n#### $1,300 ", "hashes", "$1,300"),
        ("2 + 2 = 4. The answer is 4.", "sentence", "4"),
        ("The answer is 3. No: The final answer is 5, I hope.", "sentence", "5"),
        ("**Answer:** 42 apples\nBye", "sentence", "42 apples"),
        ("**Final Answer**\n$x = 2$", "sentence", "x = 2"),
        ("Answer: 41 was a guess.\nAnswer: 42", "sentence", "42"),
        ("The answer is $3$ and $4$.", "sentence", "3, 4"),
        ("The answer is 5 because 2 + 3 is 5 and 4 is not.", "sentence", "5"),
        ("Final Answer: Jane started 3 hours ago.", "sentence", "3"),
        ("The correct option is C because 3 is more.", "sentence", "C"),
        ("He has 3 left.\nA: 26", "sentence", "26"),
        ("答案：每份应该是 (\\frac{2}{5}) 吨。", "sentence", r"\frac{2}{5}"),
        ("第一步。答：还剩3个苹果。", "last line", "3"),
        ("第一步。\n答：还剩3个苹果。", "sentence", "3"),
        ("It takes 3 steps to 4,500.50 metres", "last line", "4,500.50"),
        ("共 １２ 个", "last line", "共 12 个"),
        ("from 7 to -3", "last line", "-3"),
        ("5-3", "last line", "5-3"),
        ("So x = 3\\sqrt{5}.", "last line", r"x = 3\sqrt{5}"),
        ("We get\n$$ \n 9 \n $$", "last line", "9"),
        ("There are 12 in $d$. I hope it is correct.", "last line", "12"),
        ("She makes 9 * 2 = $<<9*2=18>>18 a day", "last line", "$18"),
        ("12000升/40升/分钟=300分钟。因此，水池在300分钟内放完。", "last line", "300"),
    ],
)
def test_a_reply_is_read_by_the_first_rule_that_finds_an_answer(reply: str, rule: str, answer: str) -> None:
    assert extract(reply) == (rule, answer)


@pytest.mark.parametrize("reply", ["I cannot tell.", "", "####\n", r"\boxed{}", "<answer></answer>", "。"])
def test_nothing_is_found_where_nothing_is(reply: str) -> None:
    assert extract(reply) is None


def test_explicit_marks_come_before_sentences_and_sentences_before_the_last_line() -> None:
    parts = ["Then 9.", "The answer is 8.", "#### 7", "<answer>6</answer>", r"\boxed{5}"]
    read = [extract("\n".join(parts[: n + 1])) for n in range(5)]
    assert read == list(zip(reversed(RULES), "98765", strict=True))
    assert extract("\n".join(reversed(parts))) == ("boxed", "5"), "wherever they stand"


def test_only_the_rules_asked_for_are_tried() -> None:
    reply = "The answer is 8.\n#### 7"
    assert extract(reply, ["sentence"]) == ("sentence", "8")
    assert extract(reply, ["boxed"]) is None


def test_words_are_read_whole_behind_a_mark_and_never_guessed() -> None:
    assert extract("The answer is moon, 3 fish.", in_words=True) == ("sentence", "moon, 3 fish")
    assert extract("I saw the moon and 3 fish.", in_words=True) is None


def test_thoughts_and_what_follows_the_end_are_no_part_of_a_reply() -> None:
    assert last_words("<think>\\boxed{42}</think> It is 5.<|im_end|>\n<|im_start|>user 7") == " It is 5."
    assert extract("<think>My answer is \\boxed{42}</think> Some other text.") is None
