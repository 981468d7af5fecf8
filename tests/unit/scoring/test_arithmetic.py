"""The share of equations that hold, on rows by hand and on GSM8K with planted faults."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from sluicegate.data.corruptions.number import number
from sluicegate.schema import Record, make_record
from sluicegate.scoring.arithmetic import Arithmetic
from sluicegate.scoring.base import Shard, Signal

GSM8K = Path(__file__).parents[4] / "shared/data/math/gsm8k_train.jsonl"
ROWS = 1500


def row(reply: str, question: str = "How many?") -> Record:
    return make_record([{"role": "user", "content": question}, {"role": "assistant", "content": reply}], "sums", "en")


def share(*rows: Record) -> list[float | str]:
    return list(Arithmetic().score(Shard(rows, [], None), Signal.Config()))


def test_a_share_or_a_reason() -> None:
    found = share(row("1 + 1 = 2, 2 + 2 = 5"), row("1 + 1 = 2\n#### 2"), row("1 + 1 = 2\n#### 3"), row("Two."))
    assert found == [0.5, 1.0, 0.5, "no equation in the response"]


def test_only_the_last_reply_counts() -> None:
    turns = [{"role": "assistant", "content": "1 + 1 = 3"}, {"role": "user", "content": "1 + 1 = 4"}]
    assert share(make_record([*turns, {"role": "assistant", "content": "1 + 1 = 2"}], "a", "en")) == [1.0]  # type: ignore[list-item]


@pytest.mark.skipif(not GSM8K.is_file(), reason="no real rows beside the clone")
def test_on_gsm8k_three_of_four_number_faults_are_flagged_at_two_percent_false_alarms() -> None:
    lines = [json.loads(line) for line in GSM8K.read_text(encoding="utf-8").splitlines()[:ROWS]]
    clean = [row(re.sub(r"<<.*?>>", "", line["answer"]), line["question"]) for line in lines]
    rng = random.Random(0)
    damaged = [row(text) for record in clean if (text := number(rng, record, []))]
    flagged = [sum(s != "no equation in the response" and s != 1.0 for s in share(*rows)) for rows in (clean, damaged)]
    assert flagged[0] / len(clean) <= 0.02
    assert flagged[1] / len(damaged) >= 0.75
