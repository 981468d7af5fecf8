"""Two answers to one prompt, of which one is better."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from sluicegate.data.shapes.base import Columns, Preference, Shape, Unfit
from sluicegate.data.shapes.columns import ROLES, json_or_itself, kind, system, text, turn, turns
from sluicegate.data.shapes.instruction import asked, history, text_or_turns
from sluicegate.schema import Message


class ChosenRejected(Shape):
    """`chosen` and `rejected` beside a `prompt`, as TRL has it; turns may repeat the prompt, or stand without it."""

    name = "preference"
    columns: ClassVar[tuple[str, ...]] = ("chosen", "rejected")
    optional: ClassVar[tuple[str, ...]] = ("prompt",)

    def read(self, row: Columns, config: Any) -> Preference:
        sides = [text_or_turns(row, name, "assistant") for name in ("chosen", "rejected")]
        shared, chosen, rejected = part(*sides)
        prompt = text_or_turns(row, "prompt", "user") if row.get("prompt") is not None else []
        return Preference(shared if shared[-len(prompt) :] == prompt else [*prompt, *shared], chosen, rejected)


class UltraFeedback(ChosenRejected):
    """UltraFeedback (arXiv 2310.01377), binarized: turns that repeat the `prompt`, and a score of each side."""

    name = "ultrafeedback"
    columns = ("prompt", "chosen", "rejected", "score_chosen", "score_rejected")
    optional = ("messages",)

    def read(self, row: Columns, config: Any) -> Preference:
        found = super().read(row, config)
        scores = {name: row[name] for name in ("score_chosen", "score_rejected")}
        return Preference(found.prompt, found.chosen, found.rejected, scores)


class HhRlhf(Shape):
    r"""HH-RLHF (arXiv 2204.05862): two texts of `\n\nHuman:` and `\n\nAssistant:` turns that begin alike."""

    name = "hh_rlhf"
    columns = ("chosen", "rejected")

    def fits(self, row: Columns) -> bool:
        """Both are texts in which someone speaks."""
        sides = row["chosen"], row["rejected"]
        return "prompt" not in row and all(isinstance(side, str) and _SPEAKER.search(side) for side in sides)

    def read(self, row: Columns, config: Any) -> Preference:
        return Preference(*part(*(spoken(text(row, name)) for name in self.columns)))


class Shp(Shape):
    """SHP (arXiv 2110.08420): a post in `history`, two comments, and in `labels` 1 where A is the better one."""

    name = "shp"
    columns = ("history", "human_ref_A", "human_ref_B", "labels")
    optional = ("score_A", "score_B", "score_ratio")

    class Config(Shape.Config):
        min_score_ratio: float = Field(1.0, ge=1)
        """Leave out pairs whose scores differ by less than this factor; its authors advise 2 and more."""

    def read(self, row: Columns, config: Any) -> Preference:
        ratio = row.get("score_ratio")
        if config.min_score_ratio > 1 and not (isinstance(ratio, int | float) and ratio >= config.min_score_ratio):
            raise Unfit(f"no clear preference: the scores differ by a factor of {ratio}")
        sides = [text(row, "human_ref_A"), text(row, "human_ref_B")]
        return Preference(*_picked(text(row, "history"), sides, 1 - _number(row, "labels")), {"score_ratio": ratio})


class PkuSafeRlhf(Shape):
    """PKU-SafeRLHF (arXiv 2307.04657): a `prompt`, two responses, which one is better and which one is safer."""

    name = "pku_saferlhf"
    columns = ("prompt", "response_0", "response_1", "better_response_id", "safer_response_id")
    optional = ("is_response_0_safe", "is_response_1_safe")

    class Config(Shape.Config):
        criterion: Literal["better", "safer"] = "better"
        """Which response is the chosen one: the more helpful or the safer."""

    def read(self, row: Columns, config: Any) -> Preference:
        chosen = _number(row, f"{config.criterion}_response_id")
        safe = [row.get(f"is_response_{side}_safe") for side in (chosen, 1 - chosen)]
        sides = [text(row, "response_0"), text(row, "response_1")]
        meta = {"chosen_safe": safe[0], "rejected_safe": safe[1]}
        return Preference(*_picked(text(row, "prompt"), sides, chosen), meta)


class DpoEnZh(Shape):
    """DPO-En-Zh: `conversations` of {from, value}, and a turn of the same kind as `chosen` and as `rejected`."""

    name = "dpo_en_zh"
    columns = ("conversations", "chosen", "rejected")

    def read(self, row: Columns, config: Any) -> Preference:
        sides = [turn(json_or_itself(row[name])) for name in ("chosen", "rejected")]
        return Preference(turns(row, "conversations"), [sides[0]], [sides[1]])


class AlpacaPairs(Shape):
    """Alpaca's columns with several texts as `output`, the best one first; it is chosen, and the last is rejected."""

    name = "alpaca_pairs"
    columns = ("instruction", "output")
    optional = ("input", "history", "system")

    def fits(self, row: Columns) -> bool:
        """The output is a list."""
        return isinstance(row["output"], list)

    def read(self, row: Columns, config: Any) -> Preference:
        sides = row["output"]
        if not isinstance(sides, list) or len(sides) < 2 or not all(isinstance(side, str) for side in sides):
            raise Unfit(f"wrong type: 'output' is {kind(sides)}, not a list of texts to choose from")
        prompt, chosen, rejected = _picked(asked(row, "input"), (sides[0], sides[-1]), 0)
        return Preference([*system(row), *history(row), *prompt], chosen, rejected)


# Sides --------------------------------------------------------------------------------------------------------------

_SPEAKER = re.compile(r"(?:^|\n\n)(Human|Assistant):")


def spoken(said: str) -> list[Message]:
    """The turns of a text; neighbours of one speaker are one turn, and a speaker who says nothing is left out."""
    _, *parts = _SPEAKER.split(said)
    found: list[Message] = []
    for speaker, words in zip(parts[::2], parts[1::2], strict=True):
        role, words = ROLES[speaker.lower()], words.strip()
        if found and words and found[-1]["role"] == role:
            found[-1] = Message(role=role, content=f"{found[-1]['content']}\n\n{words}")
        elif words:
            found.append(Message(role=role, content=words))
    return found


def part(chosen: list[Message], rejected: list[Message]) -> tuple[list[Message], list[Message], list[Message]]:
    """What two conversations share, and what is left of each: one answer at least, whatever was said behind it.

    Raises:
        Unfit: one of them has no answer, or they part before it: at what the user says.
    """
    chosen, rejected = _answered(chosen), _answered(rejected)
    n, shortest = 0, min(len(chosen), len(rejected)) - 1
    while n < shortest and chosen[n] == rejected[n]:
        n += 1
    if any(side[n]["role"] != "assistant" for side in (chosen, rejected)):
        raise Unfit("no shared prompt: the two conversations part at what the user says")
    return chosen[:n], chosen[n:], rejected[n:]


def _answered(said: list[Message]) -> list[Message]:
    """The turns up to the last of the assistant's."""
    last = next((n for n in reversed(range(len(said))) if said[n]["role"] == "assistant"), None)
    if last is None:
        raise Unfit("no assistant turn")
    return said[: last + 1]


def _picked(prompt: str, sides: Sequence[str], chosen: int) -> tuple[list[Message], list[Message], list[Message]]:
    said = [[Message(role="assistant", content=side)] for side in sides]
    return [Message(role="user", content=prompt)], said[chosen], said[1 - chosen]


def _number(row: Columns, name: str) -> int:
    """A column that is 0 or 1, as CSV cells have them too."""
    if (value := row[name]) in (0, 1, "0", "1") and not isinstance(value, Mapping | list):
        return int(value)
    raise Unfit(f"no preference: '{name}' is neither 0 nor 1")
