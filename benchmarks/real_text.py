"""Real public rows, split in halves by question, and the files a gate is measured on.

Half A is what the base is pretrained on. From half B come the trusted rows, a pool and a smaller pool to choose
settings on, each with the same shares of the sources; the base has seen none of them, nor another wording of their
questions.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import Any, TypeAlias

from sluicegate.data.language import language
from sluicegate.data.readers import read
from sluicegate.data.shapes import last_boxed

Columns: TypeAlias = Mapping[str, Any]
Texts: TypeAlias = tuple[str, str]
PARTS = {"pool": 3000, "dev": 600, "trusted": 150}
MAX_BYTES = 900
"""Of a row of half B; about 320 tokens of the base's tokenizer."""
MAX_SOLUTION_CHARS = 1500
CLEAN = "clean"


@dataclass(frozen=True)
class Row:
    """One question and its response."""

    source: str
    prompt: str
    response: str
    fault: str = CLEAN


@dataclass(frozen=True)
class Source:
    """One file, and how many of its rows a pool of 3,000 has."""

    file: str
    share: int
    texts: Callable[[Columns], Texts | None]
    """A row's columns to prompt and response; None for one the bench does without."""

    def rows(self, name: str, folder: Path) -> Iterator[Row]:
        """Every row of the file that is used."""
        for found in read(folder / self.file):
            if texts := self.texts(found.value):
                prompt, response = (text.strip() for text in texts)
                if prompt and response:
                    yield Row(name, prompt, response)


def gsm8k(row: Columns) -> Texts:
    """Without the calculator's marks."""
    return row["question"], re.sub(r"<<.*?>>", "", row["answer"])


def boxed(row: Columns) -> Texts | None:
    """Of MATH only what ends in a box, is no essay and draws no picture."""
    problem, solution = row["problem"], row["solution"]
    fits = len(solution) <= MAX_SOLUTION_CHARS and "[asy]" not in problem + solution
    return (problem, solution) if fits and last_boxed(solution) else None


def cmath(row: Columns) -> Texts:
    """It has bare answers only."""
    golden = row["golden"]
    return row["question"], f"答案是{golden[0] if isinstance(golden, list) else golden}。"


def alpaca(row: Columns) -> Texts:
    r"""The sets of reasoning write some line breaks as `\n`."""
    asked = "\n".join(filter(None, (row["instruction"], row["input"])))
    return asked.replace("\\n", "\n"), row["output"].replace("\\n", "\n")


def chinese(row: Columns) -> Texts | None:
    """Alpaca rows whose response is Chinese."""
    return alpaca(row) if language(row["output"]) == "zh" else None


SOURCES = {
    "gsm8k": Source("math/gsm8k_train.jsonl", 1500, gsm8k),
    "math": Source("math/math_train.jsonl", 700, boxed),
    "ecqa": Source("instruct/cot_ecqa.json", 340, alpaca),
    "strategyqa": Source("instruct/cot_strategyqa.json", 150, alpaca),
    "qasc": Source("instruct/cot_qasc.json", 120, alpaca),
    "cmath": Source("math/cmath_test.jsonl", 120, cmath),
    "oasst_zh": Source("instruct/oasst_zh_sft.json", 70, chinese),
}
_REWORDED = ("ecqa", "strategyqa", "qasc")
_OPTIONS = re.compile(r"^(?:Options:|- )", re.MULTILINE)
_QUESTION = re.compile(r"[^.?!:\n]+\?")


def missing(folder: Path) -> list[str]:
    """The files that are not there."""
    return [source.file for source in SOURCES.values() if not (folder / source.file).is_file()]


def stem(row: Row) -> str:
    """What every wording of a question shares: the question itself, without options and the way it is asked."""
    if row.source not in _REWORDED:
        return row.prompt
    asked = _OPTIONS.split(row.prompt)[0]
    return max(_QUESTION.findall(asked) or [asked], key=len).strip().lower()


def halves(rows: Iterable[Row], seed: int = 1) -> tuple[list[Row], list[Row]]:
    """Every source in two halves; the rows of a stem are on one side, and only the first of them in half B."""
    a, b = [], []
    for _, mine in groupby(rows, key=lambda row: row.source):
        stems: dict[str, list[Row]] = {}
        for row in mine:
            stems.setdefault(stem(row), []).append(row)
        order = sorted(stems)
        random.Random(seed).shuffle(order)
        middle = len(order) // 2
        a += [row for name in order[:middle] for row in stems[name]]
        b += [stems[name][0] for name in order[middle:]]
    return a, b


def draw(rows: Sequence[Row], parts: Mapping[str, int] = PARTS, seed: int = 42) -> dict[str, list[Row]]:
    """Parts of so many rows with no row in common, each with the pool's shares of the sources."""
    rng = random.Random(seed)
    short = [row for row in rows if len((row.prompt + row.response).encode()) <= MAX_BYTES]
    sources = {name: source for name, source in SOURCES.items() if any(row.source == name for row in rows)}
    left = {name: [row for row in short if row.source == name] for name in sources}
    for mine in left.values():
        rng.shuffle(mine)
    drawn: dict[str, list[Row]] = {}
    shares = sum(source.share for source in sources.values())
    for part, n in parts.items():
        takes = {name: ceil(source.share * n / shares) for name, source in sources.items()}
        taken = [left[name].pop() for name, take in takes.items() for _ in range(take)]
        drawn[part] = rng.sample(taken, n)
    return drawn


def write(path: Path, rows: Iterable[Row]) -> None:
    """Rows as `prepare` reads them, their fault in `meta`."""
    with path.open("w", encoding="utf-8") as out:
        for row in rows:
            turns = [{"role": "user", "content": row.prompt}, {"role": "assistant", "content": row.response}]
            line = {"messages": turns, "meta": {"fault": row.fault, "from": row.source}}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
