"""The account of a preparation: what was read, what was kept, and why the rest was not; `card.md` shows it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Any

from sluicegate.data.intake import Candidate
from sluicegate.data.split import OTHER_PART
from sluicegate.errors import DataError
from sluicegate.schema import Record

EXAMPLES = 3
SIZES = (128, 512, 2048, 8192, 32768)

_HINTS = {
    "no known shape": "name the shape with `shape`, or rename the columns to `messages` or `prompt` and `completion`",
    "no column": "leave `shape: auto`, or name the shape these rows have",
    "no assistant turn": "a row needs a response to learn from; leave rows without one out",
    "invalid UTF-8": "convert the file: iconv -f GB18030 -t UTF-8",
    "too long": "raise max_chars, or cut these rows",
}
_OTHER_HINT = "mend these rows, or let more of them pass with max_bad_share"


@dataclass
class Origin:
    """What came out of one file or world."""

    read: int = 0
    kept: int = 0
    other_part: int = 0
    """Rows that a split gives to its other part: they are set aside, but not lost."""
    bad: Counter[str] = field(default_factory=Counter)
    """Rows that could not be used, by kind of reason; duplicates and rows that are elsewhere are not bad."""
    first: dict[str, str] = field(default_factory=dict)
    """The first of each kind."""


@dataclass
class Tally:
    """Counts every row once: kept, dropped or of the other part; its size does not grow with the rows."""

    origins: defaultdict[str, Origin] = field(default_factory=lambda: defaultdict(Origin))
    sources: Counter[str] = field(default_factory=Counter)
    langs: Counter[str] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    n_chars: int = 0

    @property
    def read(self) -> int:
        """Rows read."""
        return sum(o.read for o in self.origins.values())

    @property
    def kept(self) -> int:
        """Rows kept."""
        return sum(o.kept for o in self.origins.values())

    @property
    def other_part(self) -> int:
        """Rows of the split's other part."""
        return sum(o.other_part for o in self.origins.values())

    def keep(self, candidate: Candidate, record: Record) -> None:
        """Count a row that is kept."""
        origin = self.origins[candidate.origin]
        origin.read += 1
        origin.kept += 1
        self.sources[record["source"]] += 1
        self.langs[record["lang"]] += 1
        self.sizes[next((s for s in SIZES if record["n_chars"] <= s), 0)] += 1
        self.n_chars += record["n_chars"]

    def drop(self, candidate: Candidate, reason: str) -> None:
        """Count a row that is set aside."""
        kind = reason.partition(":")[0]
        origin = self.origins[candidate.origin]
        origin.read += 1
        origin.other_part += kind == OTHER_PART
        if candidate.record is None:
            origin.bad[kind] += 1
            origin.first.setdefault(kind, f"{candidate.place}: {reason}")
        self.reasons[kind] += 1
        if len(self.examples[kind]) < EXAMPLES:
            self.examples[kind].append(f"{candidate.place}: {reason}")

    def check(self, max_bad_share: float) -> None:
        """Raise `DataError` where too many rows of one origin could not be used, or where no row is left at all."""
        for origin in self.origins.values():
            if (bad := origin.bad.total()) > max_bad_share * origin.read:
                kind = origin.bad.most_common(1)[0][0]
                share = f"{bad:,} of {origin.read:,} rows cannot be used, and max_bad_share is {max_bad_share}"
                raise DataError(f"{origin.first[kind]}; {share}", _HINTS.get(kind, _OTHER_HINT))
        if not self.kept:
            kind, n = self.reasons.most_common(1)[0]
            raise DataError(f"no row of {', '.join(self.origins)} is left: {n:,} of {self.read:,} are '{kind}'")

    def stats(self) -> dict[str, Any]:
        """The numbers worth a line, and the tables behind them."""
        return {
            "rows": self.kept,
            "read": self.read,
            **({"other_part": self.other_part} if self.other_part else {}),
            "dropped": self.read - self.kept - self.other_part,
            "duplicates": self.reasons["duplicate"],
            "chars": self.n_chars,
            "by_source": dict(sorted(self.sources.items())),
            "by_lang": dict(sorted(self.langs.items())),
            "by_reason": dict(self.reasons.most_common()),
        }


def card(tally: Tally) -> str:
    """The account as Markdown."""
    origins = [(name, o.read, o.kept, o.read - o.kept - o.other_part) for name, o in tally.origins.items()]
    sizes = [(f"up to {s:,}" if s else f"over {SIZES[-1]:,}", tally.sizes[s]) for s in (*SIZES, 0) if tally.sizes[s]]
    dropped = [(kind, n) for kind, n in tally.reasons.most_common() if kind != OTHER_PART]
    reasons = [(kind, n, "; ".join(tally.examples[kind])) for kind, n in dropped]
    mean = tally.n_chars / max(1, tally.kept)
    head = f"{tally.kept:,} rows of {tally.read:,} read, {tally.n_chars:,} characters, {mean:,.0f} a row on average."
    head += f" {tally.other_part:,} rows are in the other part." if tally.other_part else ""
    sections = [
        "# Data card",
        head,
        _table("Read from", ("origin", "read", "kept", "dropped"), origins),
        _table("Sources", ("source", "rows"), sorted(tally.sources.items())),
        _table("Languages", ("language", "rows"), tally.langs.most_common()),
        _table("Sizes", ("characters", "rows"), sizes),
        _table("Dropped", ("reason", "rows", f"the first {EXAMPLES}"), reasons),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _table(title: str, names: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    """A Markdown table under a heading; nothing where it has no rows."""
    body = [" | ".join(_cell(value) for value in row) for row in rows]
    if not body:
        return ""
    lines = [" | ".join(names), " | ".join("---" for _ in names), *body]
    return f"## {title}\n\n" + "\n".join(f"| {line} |" for line in lines)


def _cell(value: Any) -> str:
    """Numbers with thousands; text from the data cannot break the table or smuggle in HTML."""
    return f"{value:,}" if isinstance(value, int) else escape(" ".join(value.split())).replace("|", "\\|")
