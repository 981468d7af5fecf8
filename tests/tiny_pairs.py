"""Small pairs, and an artifact of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sluicegate.artifacts import Artifact, write_table
from sluicegate.models.encode import Encoder
from sluicegate.models.load import Loaded
from sluicegate.models.token_cache import TokenCache
from sluicegate.schema import Message, Pair, make_pair
from sluicegate.testing import sealed
from sluicegate.training.preference.rows import EncodedPairs


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def tiny_pair(n: int, **changed: Any) -> Pair:
    """A sum whose answer is preferred to a refusal, which is longer; Chinese and English by turns."""
    sides = {
        "prompt": [user(f"What is {n} plus {n + 1}?" if n % 2 else f"{n} 加 {n + 1} 等于多少？")],
        "chosen": [assistant(f"It is {2 * n + 1}." if n % 2 else f"答案是 {2 * n + 1}。")],
        "rejected": [assistant(f"No idea, {'ask ' * (n % 3)}go away.")],
    }
    return make_pair(**{**sides, **changed}, source=f"tiny/{n % 2}", lang=("zh", "en")[n % 2])


def tiny_pairs(n: int) -> list[Pair]:
    return [tiny_pair(i) for i in range(n)]


def pairs_artifact(root: Path, pairs: list[Pair]) -> Artifact:
    return sealed(root, "pairs", lambda out: {"rows": write_table(out / "pairs.parquet", pairs, Pair)})


def one_process(make: Any, items: Any) -> Any:
    """How a token cache is filled here."""
    return map(make(), items)


def encoded_pairs(root: Path, loaded: Loaded, pairs: list[Pair], max_length: int = 512) -> EncodedPairs:
    encoder, cache = Encoder(loaded.tokenizer, max_length), TokenCache(root / ".tokens", one_process)
    return EncodedPairs.of(pairs_artifact(root, pairs), encoder, cache)
