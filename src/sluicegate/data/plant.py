"""Faults put into rows on purpose and remembered, so that what finds them can be measured."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterator, Sequence

from sluicegate.data.corrupt import Corruption, with_response
from sluicegate.data.world.faults import CLEAN
from sluicegate.registry import CORRUPTIONS
from sluicegate.schema import Record, content_id


def plant(records: Sequence[Record], faults: Sequence[str], share: float, seed: int) -> Iterator[Record]:
    """The rows in their order, about `share` of them damaged, in equal parts by each fault where it applies.

    A damaged row is another conversation, with an id of its own; `meta` tells its `fault`, and of the others `clean`.
    Which rows are damaged, and how, hangs on the ids and the seed and not on their order.
    """
    order = sorted(range(len(records)), key=lambda row: records[row]["id"])
    by_id = [records[row] for row in order]
    rng = random.Random(seed)
    chosen = sorted(rng.sample(range(len(order)), round(share * len(order))))
    rng.shuffle(chosen)
    makers = deque((fault, CORRUPTIONS.get(fault)) for fault in faults)
    damaged: dict[int, Record] = {}
    seen = {content_id(record["id"]) for record in records}
    for place in chosen:
        found = _damaged(rng, by_id[place], by_id, list(makers))
        makers.rotate(-1)  # they take turns at being tried first
        if found and found["id"] not in seen:
            seen.add(found["id"])
            damaged[order[place]] = found
    for row, record in enumerate(records):
        yield damaged.get(row) or _told(record, CLEAN)


def _damaged(
    rng: random.Random, record: Record, others: Sequence[Record], makers: Sequence[tuple[str, Corruption]]
) -> Record | None:
    """With the first fault that applies."""
    for fault, maker in makers:
        text = maker(rng, record, others)
        if text:
            return _told({**with_response(record, text, fault), "meta": record["meta"]}, fault)
    return None


def _told(record: Record, fault: str) -> Record:
    meta = {**json.loads(record["meta"]), "fault": fault}
    return {**record, "meta": json.dumps(meta, ensure_ascii=False, sort_keys=True)}
