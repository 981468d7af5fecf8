"""The count of a preparation: every candidate once, by source, language, length and the step it was lost at."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sluicegate.data.buckets import bucket_of
from sluicegate.data.lengths import chars_of, guessed_tokens
from sluicegate.data.split import OTHER_PART
from sluicegate.data.steps import STEPS, step_of
from sluicegate.errors import DataError
from sluicegate.schema import Pair, Record

if TYPE_CHECKING:
    from sluicegate.data.intake import Candidate

EXAMPLES = 3
HEAD_CHARS = 160
"""Characters of an example."""
SIZES = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
"""Tokens up to which each bar of the histogram reaches; a last one holds what is longer."""
KEPT = "kept"
UNREAD, NO_SIZE = "", -1
"""Language and size of a row that never became a record."""

_HINTS = {
    "no known shape": "name the shape with `shape`, or rename the columns to `messages` or `prompt` and `completion`",
    "no column": "leave `shape: auto`, or name the shape these rows have",
    "no assistant turn": "a row needs a response to learn from; leave rows without one out",
    "a preference": "set `make: pairs`, or `pairs_as: chosen` to make conversations of the better answers",
    "no preference": "set `make: messages`, or leave these rows out",
    "invalid UTF-8": "set `clean: {repair: true}`; if that is not enough convert the file: iconv -f GB18030 -t UTF-8",
    "too long": "raise max_chars, or clean.tokens.max where that is set, or cut these rows",
}
_OTHER_HINT = "mend these rows, or let more of them pass with max_bad_share"


class Cell(NamedTuple):
    """What rows that are counted together have in common."""

    source: str
    lang: str
    fate: str
    """`kept`, or the step they were lost at."""
    size: int
    """The number of the bar they are in; `NO_SIZE` where they never became a record."""


class Reason(NamedTuple):
    """A kind of reason, and the step that gives it."""

    step: str
    kind: str


class Example(NamedTuple):
    """A row that was set aside, as the card shows it."""

    place: str
    reason: str
    text: str


class Licence(NamedTuple):
    """Under which terms a source's rows may be used."""

    name: str
    warning: str = ""


@dataclass
class Origin:
    """What came out of one file, set or world."""

    rows: int = 0
    """Raw rows read."""
    made: int = 0
    """Candidates they gave: as many, but for message trees, which give one per path."""
    kept: int = 0
    other_part: int = 0
    """Candidates that a split gives to its other part: they are set aside, but not lost."""
    bad: Counter[str] = field(default_factory=Counter)
    """Raw rows that could not be used, by kind of reason; duplicates and rows that are elsewhere are not bad."""
    first: dict[str, str] = field(default_factory=dict)
    """The first of each kind."""

    def add(self, other: Origin) -> None:
        """Count what another count of the same origin, further on in it, has counted."""
        self.rows += other.rows
        self.made += other.made
        self.kept += other.kept
        self.other_part += other.other_part
        self.bad += other.bad
        self.first = other.first | self.first


@dataclass
class Tally:
    """Counts every candidate once, kept or lost. Its size does not grow with them, and two tallies add up to one."""

    tokenizer: str = ""
    """Who counted the tokens; if empty, they are guessed from the characters."""
    steps: tuple[str, ...] = tuple(STEPS)
    """Those that were taken."""
    licences: dict[str, Licence] = field(default_factory=dict)
    """Of the sources, as far as they are known."""
    origins: defaultdict[str, Origin] = field(default_factory=lambda: defaultdict(Origin))
    rows: Counter[Cell] = field(default_factory=Counter)
    tokens: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Of the kept rows, by source and language."""
    reasons: Counter[Reason] = field(default_factory=Counter)
    """Of those that were set aside."""
    examples: defaultdict[Reason, list[Example]] = field(default_factory=lambda: defaultdict(list))
    """The first of each."""
    changes: Counter[str] = field(default_factory=Counter)
    """What cleaning changed, by name."""
    notes: list[str] = field(default_factory=list)
    """Sentences on what did not come out as asked."""
    n_chars: int = 0

    @property
    def read(self) -> int:
        """Raw rows read."""
        return sum(o.rows for o in self.origins.values())

    @property
    def made(self) -> int:
        """Candidates they gave."""
        return sum(o.made for o in self.origins.values())

    @property
    def kept(self) -> int:
        """Candidates kept."""
        return sum(o.kept for o in self.origins.values())

    @property
    def other_part(self) -> int:
        """Candidates of the split's other part."""
        return sum(o.other_part for o in self.origins.values())

    def keep(self, candidate: Candidate, record: Record | Pair, n_tokens: int | None = None) -> None:
        """Count one that is kept; its tokens are guessed where they are not given."""
        n_chars = chars_of(record)
        n_tokens = guessed_tokens(n_chars, record["lang"]) if n_tokens is None else n_tokens
        self._origin(candidate).kept += 1
        self.rows[Cell(record["source"], record["lang"], KEPT, bucket_of(n_tokens, SIZES))] += 1
        self.tokens[record["source"], record["lang"]] += n_tokens
        self.n_chars += n_chars

    def drop(self, candidate: Candidate, reason: str, n_tokens: int | None = None) -> None:
        """Count one that is set aside, for a reason that is `kind: detail`."""
        kind = reason.partition(":")[0]
        origin, record = self._origin(candidate), candidate.record
        told = Reason(step_of(candidate, kind), kind)
        origin.other_part += kind == OTHER_PART
        if record is None:
            origin.bad[kind] += candidate.n_rows
            origin.first.setdefault(kind, f"{candidate.place}: {reason}")
            self.rows[Cell(candidate.source, UNREAD, told.step, NO_SIZE)] += 1
        else:
            n_tokens = guessed_tokens(chars_of(record), record["lang"]) if n_tokens is None else n_tokens
            self.rows[Cell(record["source"], record["lang"], told.step, bucket_of(n_tokens, SIZES))] += 1
        self.reasons[told] += 1
        if len(self.examples[told]) < EXAMPLES:
            self.examples[told].append(Example(candidate.place, reason, candidate.row.head[:HEAD_CHARS]))

    def _origin(self, candidate: Candidate) -> Origin:
        origin = self.origins[candidate.origin]
        origin.rows += candidate.n_rows
        origin.made += 1
        return origin

    def add(self, other: Tally) -> None:
        """Count what another tally, of rows behind these, has counted."""
        for name, origin in other.origins.items():
            self.origins[name].add(origin)
        for reason, examples in other.examples.items():
            self.examples[reason] = [*self.examples[reason], *examples][:EXAMPLES]
        self.licences = other.licences | self.licences
        self.rows += other.rows
        self.tokens += other.tokens
        self.reasons += other.reasons
        self.changes += other.changes
        self.notes += other.notes
        self.n_chars += other.n_chars

    def check(self, max_bad_share: float) -> None:
        """Raise `DataError` where too many rows of one origin could not be used, or where no row is left at all."""
        for origin in self.origins.values():
            if (bad := origin.bad.total()) > max_bad_share * origin.rows:
                kind = origin.bad.most_common(1)[0][0]
                share = f"{bad:,} of {origin.rows:,} rows cannot be used, and max_bad_share is {max_bad_share}"
                raise DataError(f"{origin.first[kind]}; {share}", _HINTS.get(kind, _OTHER_HINT))
        if not self.kept:
            kind, n = self.by_reason().most_common(1)[0]
            told = f"no row of {', '.join(self.origins)} is left: {n:,} of {self.made:,} are '{kind}'"
            raise DataError(told, _HINTS.get(kind, "ask less of that step, or read other rows"))

    def over(self, *columns: str) -> Counter[tuple[Any, ...]]:
        """Candidates by some columns of their cells: `over("source", "fate")`."""
        found: Counter[tuple[Any, ...]] = Counter()
        for cell, n in self.rows.items():
            found[tuple(getattr(cell, column) for column in columns)] += n
        return found

    def kept_by(self, column: str) -> dict[str, int]:
        """Those kept by `source` or `lang`."""
        return {name: n for (name, fate), n in sorted(self.over(column, "fate").items()) if fate == KEPT}

    def by_reason(self) -> Counter[str]:
        """Those that were set aside, by kind of reason."""
        found: Counter[str] = Counter()
        for (_, kind), n in self.reasons.items():
            found[kind] += n
        return found

    def stats(self) -> dict[str, Any]:
        """The numbers worth a line, and the tables behind them."""
        return {
            "rows": self.kept,
            "read": self.read,
            **({"candidates": self.made} if self.made != self.read else {}),
            **({"other_part": self.other_part} if self.other_part else {}),
            "dropped": self.made - self.kept - self.other_part,
            "duplicates": self.by_reason()["duplicate"],
            "chars": self.n_chars,
            "by_source": self.kept_by("source"),
            "by_lang": self.kept_by("lang"),
            "by_reason": dict(self.by_reason().most_common()),
        }
