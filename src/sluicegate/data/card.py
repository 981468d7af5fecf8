"""`card.md`: what a preparation read, what it kept, and why the rest was not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from sluicegate.data.buckets import bucket_names
from sluicegate.data.clean.mask import Mask
from sluicegate.data.readers import stem
from sluicegate.data.split import OTHER_PART
from sluicegate.data.tally import EXAMPLES, KEPT, NO_SIZE, SIZES, Example, Licence, Reason, Tally

NOT_TOLD = "–"
UNKNOWN = Licence("not stated")
BAR = 32
"""Characters of the longest bar."""


def card(tally: Tally, picture: str = "") -> str:
    """The account as Markdown. Text from the data is escaped; of a path it tells no more than tells files apart.

    Args:
        tally: every row that was read, counted.
        picture: name of a file beside the card that shows the lengths.
    """
    image = f"![Rows by length, kept and dropped]({picture})" if picture else ""
    flow = [_head(tally), _notes(tally), _steps(tally), _changes(tally), _sources(tally), _files(tally)]
    parts = [*flow, _lengths(tally, image), _licences(tally), _dropped(tally)]
    return "\n\n".join(filter(None, ["# Data card", *parts])) + "\n"


def _head(tally: Tally) -> str:
    langs = Counter(tally.kept_by("lang")).most_common()
    shares = ", ".join(f"{n / tally.kept:.1%} {lang}" for lang, n in langs)
    mean = tally.n_chars / max(1, tally.kept)
    text = f"{tally.kept:,} rows of {tally.made:,} read{f' ({shares})' if shares else ''}, {_tokens(tally)}."
    text += f" {tally.n_chars:,} characters, {mean:,.0f} a row on average."
    text += f" {tally.other_part:,} rows are in the other part." if tally.other_part else ""
    if tally.made == tally.read:
        return text
    return f"{text}\n\n{tally.read:,} raw rows were read; each path through a message tree is counted as a row here."


def _tokens(tally: Tally) -> str:
    total = tally.tokens.total()
    if tally.tokenizer:
        return f"{total:,} tokens as {_text(tally.tokenizer)} counts them"
    return f"about {total:,} tokens (guessed from the characters, for no tokenizer was named)"


def _notes(tally: Tally) -> str:
    return "\n".join(f"- {_text(note)}." for note in tally.notes)


def _steps(tally: Tally) -> str:
    lost = tally.over("fate")
    left = [tally.made, *_left(tally.made, [lost[step,] for step in tally.steps])]
    rows = [(step, a, a - b, b) for step, (a, b) in zip(tally.steps, pairwise(left), strict=True)]
    return _table("Steps", ("step", "rows in", "dropped", "rows out"), rows)


def _changes(tally: Tally) -> str:
    return _table("Changed by cleaning", ("what", "times"), tally.changes.most_common())


def _sources(tally: Tally) -> str:
    """Rows left after each step that lost any, of every source in every language, and of all sources together."""
    read, lost = tally.over("source", "lang"), tally.over("source", "lang", "fate")
    steps = [step for step in tally.steps if tally.over("fate")[step,]]
    rows = []
    for source, lang in sorted(read):
        left = _left(read[source, lang], [lost[source, lang, step] for step in steps])
        rows.append((source, lang or NOT_TOLD, read[source, lang], *left, tally.tokens[source, lang]))
    whole = [
        ("all", lang, *map(sum, zip(*(row[2:] for row in rows if row[1] == lang), strict=True)))
        for lang in sorted({row[1] for row in rows})
    ]
    names = ("source", "language", "read", *(f"after {step}" for step in steps), "tokens kept")
    return _table("Sources and languages", names, [*rows, *whole])


def _left(rows: int, lost: Iterable[int]) -> list[int]:
    return [rows - gone for gone in accumulate(lost)]


def _files(tally: Tally) -> str:
    names = _short(list(tally.origins))
    rows = [(names[name], o.rows, o.kept, o.made - o.kept - o.other_part) for name, o in tally.origins.items()]
    return _table("Read from", ("origin", "raw rows", "kept", "dropped"), rows)


def _lengths(tally: Tally, image: str) -> str:
    """A bar of text for every length there is, and the picture."""
    before, after = tally.over("size"), tally.over("size", "fate")
    used = sorted(size for (size,) in before if size != NO_SIZE)
    most = max((before[n,] for n in used), default=0)
    names = bucket_names(SIZES)
    rows = [
        (names[n], before[n,], after[n, KEPT], _bar(after[n, KEPT], before[n,] - after[n, KEPT], most))
        for n in range(used[0], used[-1] + 1)
    ]
    return "\n\n".join(filter(None, [_table("Lengths", ("tokens", "read", "kept", "█ kept, ░ not"), rows), image]))


def _bar(kept: int, lost: int, most: int) -> str:
    """As long as the rows are many; what there is of either kind is never drawn as nothing."""
    return "█" * -(-BAR * kept // most) + "░" * -(-BAR * lost // most)


def _licences(tally: Tally) -> str:
    found = {source: tally.licences.get(source, UNKNOWN) for source in tally.kept_by("source")}
    table = _table("Licences", ("source", "licence", "mind"), [(name, *licence) for name, licence in found.items()])
    warned = [_text(name) for name, licence in found.items() if licence.warning]
    told = f"**What to mind of {', '.join(warned)} holds for what is trained on this as well.**"
    return f"{table}\n\n{told}" if warned else table


def _dropped(tally: Tally) -> str:
    """Every kind of reason with its first rows; what a split keeps elsewhere is not lost."""
    names = _short(list(tally.origins))
    kinds = [(reason, n) for reason, n in tally.reasons.most_common() if reason.kind != OTHER_PART]
    told = [_kind(reason, n, tally.examples[reason], names) for reason, n in kinds]
    title = f"## Dropped\n\nThe first {EXAMPLES} rows of each reason; all of them are in `dropped.parquet`."
    return "\n\n".join([title, *told]) if told else ""


def _kind(reason: Reason, n: int, examples: Sequence[Example], names: dict[str, str]) -> str:
    title = f"### {_text(reason.kind)}: {n:,} at {reason.step}"
    return "\n\n".join([title, *(_example(example, names) for example in examples)])


def _example(example: Example, names: dict[str, str]) -> str:
    """Where it stood and why it was dropped, over the head of its text; a card is published, so both are masked."""
    masked = Mask(Mask.Config()).text
    told = f"{example.place}: {masked(example.reason)}"
    for path, short in names.items():
        told = told.replace(path, short)
    return f"- {_text(told)}\n\n  {_code(masked(example.text))}"


def _short(origins: Sequence[str]) -> dict[str, str]:
    """Each file by no more of its path's end than tells it from the others: where a machine keeps it is its own.

    A set of the hub keeps its whole name.
    """
    files = [name for name in origins if stem(Path(name)) != Path(name).name]
    told = files
    for n in range(1, max((len(Path(name).parts) for name in files), default=0) + 1):
        told = ["/".join(Path(name).parts[-n:]) for name in files]
        if len(set(told)) == len(told):
            break
    return {name: name for name in origins} | dict(zip(files, told, strict=True))


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table under a heading, its numbers to the right; nothing where it has no rows."""
    body = list(rows)
    if not body:
        return ""
    rule = ["---:" if isinstance(value, int) else "---" for value in body[0]]
    lines = [names, rule, *([_cell(value) for value in row] for row in body)]
    return f"## {title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else _text(value)


def _text(value: str) -> str:
    """One line in which nothing is markup; an underscore inside a word is none."""
    return re.sub(r"[\\`*\[\]|#~]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", escape(" ".join(value.split()), quote=False))


def _code(value: str) -> str:
    """One line as it is, between more backticks than it has in a row."""
    line = " ".join(value.split())
    ticks = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    return f"{ticks} {line} {ticks}" if line else ""
