"""What differs, in words, cells and colours."""

from __future__ import annotations

import math

import pytest

from sluicegate.models.weights import Comparison
from sluicegate.reporting.difference import cells, heat_map, label, sentence


def router(layer: int, verdict: str = "changed") -> Comparison:
    return Comparison(f"model.layers.{layer}.mlp.gate.weight", verdict, 1.0, 4.0, 1.0)  # type: ignore[arg-type]


def norm(layer: int, verdict: str = "changed") -> Comparison:
    return Comparison(f"model.layers.{layer}.input_layernorm.weight", verdict, 1.0, 4.0, 1.0)  # type: ignore[arg-type]


EMBEDDING = Comparison("model.embed_tokens.weight", "equal", 0.0, 9.0)
CHANGED = Comparison("model.embed_tokens.weight", "changed", 1.0, 9.0, 0.1)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([EMBEDDING, norm(0, "equal")], "nothing differs"),
        ([CHANGED, norm(0)], "everything differs"),
        ([EMBEDDING, *map(router, (0, 1, 2, 5))], "only the routers of layers 0-2, 5 differ"),
        ([EMBEDDING, router(3)], "only the routers of layer 3 differ"),
        ([EMBEDDING, router(1), norm(1)], "only the routers and norms of layer 1 differ"),
        ([CHANGED, router(1), norm(2), norm(3, "equal")],
         "the routers of layer 1, the norms of layer 2 and the embeddings differ"),
        ([EMBEDDING, router(0, "only in B")], "only the routers of layer 0 (only in B) differ"),
        ([CHANGED, EMBEDDING], "the embeddings differ"),
    ],
)  # fmt: skip
def test_one_sentence_says_what_differs(found: list[Comparison], said: str) -> None:
    assert sentence(found) == said


def test_a_cell_says_how_far_its_weights_went() -> None:
    assert label([EMBEDDING]) == "="
    assert label([router(0)]) == "0.5"
    assert label([router(0), Comparison("x", "equal", 0.0, 12.0)]) == "0.25"
    assert label([router(0, "only in A"), Comparison("x", "other shape")]) == "0.5"
    assert label([Comparison("x", "only in A"), Comparison("y", "other shape")]) == "only in A + other shape"
    assert label([Comparison("x", "changed", 1.0, 0.0, 1.0)]) == "from 0"


def test_cells_stand_in_the_order_of_layers_with_those_of_none_last() -> None:
    assert list(cells([EMBEDDING, norm(10), norm(2)])) == [(2, "norms"), (10, "norms"), (None, "embeddings")]


def test_the_map_is_darker_the_further_a_weight_went() -> None:
    found = [
        EMBEDDING,
        router(0),
        Comparison("model.layers.1.mlp.gate.weight", "changed", 1e-8, 1.0, 1e-4),
        Comparison("layers.1.mlp.quality_gate.now", "only in B"),
    ]
    rows = {(r["layer"], r["group"]): r for r in heat_map(found)["data"]["values"]}
    depth = {where: row["depth"] for where, row in rows.items()}
    assert 0 == depth["-", "embeddings"] < depth["1", "routers"] < depth["0", "routers"] <= 1
    assert (rows["1", "gates"]["state"], depth["1", "gates"]) == ("apart", 1)
    assert all(math.isfinite(value) for value in depth.values())
