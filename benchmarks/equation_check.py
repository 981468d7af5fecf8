"""The signal `arithmetic` on GSM8K's training rows with one wrong number each, and on rows nobody has touched.

A row is flagged when an equation in it does not hold. Three faults are those of the real-text bench (another final
answer, a wrong step, a wrong operation), the fourth is the corruption `number`, which may hit any number, a price told
in passing too. A row of MATH is flagged the same way; its equations are about other things than sums.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from figure import figure
from real_faults import NUMBERS
from real_text import SOURCES, Row, missing
from worlds import parser

from sluicegate.data.corruptions.number import number
from sluicegate.errors import MissingError
from sluicegate.schema import Record, make_record
from sluicegate.scoring.arithmetic import Arithmetic
from sluicegate.scoring.base import Shard, Signal

LEAST, MOST = 0.75, 0.02
"""Bars: the share of planted faults that is flagged, and of untouched rows."""
QUICK_ROWS = 200


def main() -> int:
    """Flag, count, compare; 5 where the data are not there."""
    asked = parser(__doc__)
    asked.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the public rows")
    args = asked.parse_args()
    if lost := missing(args.data):
        print(f"error: {args.data} has no {lost[0]}\nhint: name the folder of the rows: --data DIR", file=sys.stderr)
        return MissingError.exit_code
    clean = {name: list(SOURCES[name].rows(name, args.data)) for name in ("gsm8k", "math")}
    rows = clean["gsm8k"][: QUICK_ROWS if args.quick else None]
    found = {name: flagged(damaged) for name, damaged in planted(rows).items()}
    alarms = {name: flagged([row.response for row in each]) for name, each in clean.items()}
    print(json.dumps({"flagged": found, "alarms": alarms}))
    least = min(found.values())
    bar = f"flagged >= {LEAST} of each fault at <= {MOST} false alarms"
    figure("equation_check", least, alarms["gsm8k"], "share flagged", bar, least >= LEAST and alarms["gsm8k"] <= MOST,
           flagged=found, alarms=alarms, rows=len(rows))  # fmt: skip
    return 0


def planted(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Responses with one fault each, by fault; rows it does not apply to are left out."""
    rng = random.Random(0)
    made = {name: [maker(rng, row, rows) for row in rows] for name, maker in NUMBERS.items()}
    made["number"] = [number(rng, record(row), []) for row in rows]
    return {name: [text for text in texts if text] for name, texts in made.items()}


def record(row: Row) -> Record:
    """A row as the makers of corruptions take it."""
    turns = [{"role": "user", "content": row.prompt}, {"role": "assistant", "content": row.response}]
    return make_record(turns, row.source, "en")  # type: ignore[arg-type]


def flagged(texts: Sequence[str]) -> float:
    """The share of responses with an equation that does not hold."""
    shard = Shard([record(Row("", "?", text)) for text in texts], [], None)
    scores = Arithmetic().score(shard, Signal.Config())
    return round(sum(isinstance(score, float) and score < 1 for score in scores) / len(scores), 4)


if __name__ == "__main__":
    sys.exit(main())
