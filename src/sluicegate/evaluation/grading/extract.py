"""The final answer a reply states: the first rule that finds one, the marked ones before the guessed one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from sluicegate.evaluation.grading.nesting import closing
from sluicegate.evaluation.grading.prose import first_answer, last_answer, sentence_at

_END_OF_REPLY = re.compile(r"<\|(?:im_end|im_start|endoftext|eot_id|end_of_text)\|>|</s>")
_BOX = re.compile(r"\\f?box(?:ed)?(?![A-Za-z])\s*(\{)?")
_BESIDE = re.compile(
    r"(?:[\s$,;&]|\\[()\[\] ,;]|\\q?quad|\\text\{[^{}]*\}|and|or|[和或、，；])*"
    r"|[^.!?。！？\n]{0,60}?(?<![A-Za-z])(?:and|or|和|以及|或)(?![A-Za-z])[^.!?。！？\n]{0,60}"
)
_REVISED = re.compile(r"\b(?:but|not|instead|wrong|actually|guess|check)", re.IGNORECASE)
_TAGGED = re.compile(r"<answer>(.*?)(?:</answer>|$)", re.DOTALL | re.IGNORECASE)
_HASHES = re.compile(r"####[ \t]*(\S.*)")
_SAID = re.compile(
    r"""
    \b(?:answer|result|(?:correct|right)\s+(?:option|choice))\b[*\s]*
        (?: [^\n.:=。：？?]{0,60}?\b(?:is|are|equals)\b[*\s]*:? | [*\s]*[:=：] | \*\*\s*\n )
    | 答案[^\n.。:：，,]{0,20}?(?:是|为|等于|[:：])[:：]?
    | [故应]选[:：]?
    | (?:^|\n)[ \t*]*(?:答|解得|所以)[:：]
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LETTERED = re.compile(r"(?:^|\n)[ \t*]*A[*]*[:：](?!.*\n[ \t*]*B[*]*[:：])", re.DOTALL)


class Found(NamedTuple):
    """An answer and the name of the rule that found it."""

    rule: str
    text: str


def extract(reply: str, rules: Collection[str] | None = None, in_words: bool = False) -> Found | None:
    """What the first rule that finds an answer finds; None if none does.

    Args:
        rules: names of the rules that are tried, in the order of `RULES`; None for all.
        in_words: whether the answer sought is a name or the like, which is told from no other word of the last line.
    """
    said = last_words(reply)
    for name, rule in RULES.items():
        if (rules is None or name in rules) and (answer := rule(said, in_words)):
            return Found(name, answer)
    return None


def last_words(reply: str) -> str:
    """The reply without what a model thought before it, and without what it made up after its end."""
    said = reply.rpartition("</think>")[2] or reply
    return _END_OF_REPLY.split(said, maxsplit=1)[0] or said


# Rules --------------------------------------------------------------------------------------------------------------


def boxed(reply: str, in_words: bool = False) -> str | None:
    r"""MATH's way: the last `\boxed{}`, and those before it that are in one list with it: `\boxed{1}, \boxed{2}`."""
    boxes = list(_BOX.finditer(reply))
    if not boxes:
        return None
    contents, start = [_content(reply, boxes[-1])], boxes[-1].start()
    for box in reversed(boxes[:-1]):
        end = closing(reply, box.end()) if box[1] else None
        if end is None or not _are_beside(reply[end + 1 : start]):
            break
        contents, start = [_content(reply, box), *contents], box.start()
    return ", ".join(dict.fromkeys(filter(None, contents))) or None


def tagged(reply: str, in_words: bool = False) -> str | None:
    """The last `<answer>…</answer>`."""
    tags = _TAGGED.findall(reply)
    return _narrowed(tags[-1], in_words) if tags else None


def hashes(reply: str, in_words: bool = False) -> str | None:
    """GSM8K's way: the line behind the last `####`."""
    lines = _HASHES.findall(reply)
    return lines[-1].strip() if lines else None


def sentence(reply: str, in_words: bool = False) -> str | None:
    """`The answer is X.`, `Answer: X`, `答案是X。`, `答：X`, the last of them."""
    marks = [*_SAID.finditer(reply), *_LETTERED.finditer(reply)]
    if not marks:
        return None
    return _narrowed(sentence_at(reply, max(mark.end() for mark in marks)), in_words)


def last_line(reply: str, in_words: bool = False) -> str | None:
    """The final number or expression of the last line that has one, where nothing is marked as the answer."""
    return None if in_words else last_answer(reply)


RULES: dict[str, Callable[[str, bool], str | None]] = {
    # Explicit marks first: a sentence or a tag often holds a box, never the other way round.
    "boxed": boxed,
    "tagged": tagged,
    "hashes": hashes,
    "sentence": sentence,
    "last line": last_line,
}
MARKED = ("boxed", "tagged", "hashes", "sentence")
"""The rules that read a mark, and guess nothing."""


def _content(reply: str, box: re.Match[str]) -> str:
    """What stands in a box, up to the end of its line where it is never closed; one sign where it has no braces."""
    if not box[1]:
        return reply[box.end() : box.end() + 1].strip("$.")
    end = closing(reply, box.end())
    return (reply[box.end() : end] if end is not None else reply[box.end() :].partition("\n")[0].rstrip(" $.")).strip()


def _are_beside(between: str) -> bool:
    return len(between) < 160 and bool(_BESIDE.fullmatch(between)) and not _REVISED.search(between)


def _narrowed(said: str, in_words: bool) -> str | None:
    return said.strip(" \t\n*`\"'“”") or None if in_words else first_answer(said)
