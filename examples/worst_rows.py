"""Score a file from Python and print the rows a model finds least likely: worst_rows.py MODEL ROWS.jsonl OUT"""

from __future__ import annotations

import sys
from pathlib import Path

from sluicegate.pipeline import run


def worst_rows(model: str, rows: str, out: str, n: int = 5) -> list[tuple[float, str]]:
    """The `n` lowest scores with the replies they belong to; steps that stand in `out` are not made again."""
    steps = {
        "pool": {"stage": "prepare", "sources": [rows]},
        "scores": {"stage": "score", "data": "pool", "model": model, "signals": ["perplexity"]},
    }
    made = run({"vars": {}, "steps": steps}, Path(out))
    reply = {row["id"]: row["messages"][-1]["content"] for row in made["pool"].rows("messages")}
    scored = [row for row in made["scores"].rows("scores") if not row["perplexity_why"]]
    return sorted((row["perplexity"], reply[row["id"]]) for row in scored)[:n]


if __name__ == "__main__":
    for score, reply in worst_rows(*sys.argv[1:4]):
        print(f"{score:10.1f}  {reply}")
