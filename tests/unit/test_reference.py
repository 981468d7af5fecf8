from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from sluicegate import reference as module
from sluicegate.config import Config, runtime
from sluicegate.errors import UnknownName
from sluicegate.reference import reference
from sluicegate.registry import RULES, SIGNALS, STAGES


class Inner(Config):
    """One thing."""

    way: Literal["up", "down"] = "up"
    """Which way."""


class Block(Config):
    items: list[Inner] = Field(min_length=1)
    """The things."""
    shares: list[Annotated[float, Field(gt=0)]] = []
    """How many."""
    named: dict[str, Inner] = {}
    """By name."""
    inner: Inner = Inner()
    """The thing."""
    share: float | None = Field(None, gt=0, le=1)
    """How much."""
    flag: bool | None = None
    """Whether."""
    path: Path | None = None
    """Where."""
    names: str | list[str] = ""
    """Who."""
    options: dict[str, Any] = {}
    """What else."""
    workers: int = runtime(2, ge=1)
    """How many."""


def test_a_key_tells_its_type_its_default_and_its_help() -> None:
    assert list(module._keys(Block, "", 0)) == [
        "- `items` — list of blocks (at least 1); required. The things. Each: One thing.",
        "  - `items[].way` — `up` or `down`; default `up`. Which way.",
        "- `shares` — list of number > 0; default `[]`. How many.",
        "- `named` — mapping; default `{}`. By name.",
        "  - `named.NAME.way` — `up` or `down`; default `up`. Which way.",
        "- `inner` — block; default as below. The thing.",
        "  - `inner.way` — `up` or `down`; default `up`. Which way.",
        "- `share` — number > 0 and ≤ 1 or null; default `null`. How much.",
        "- `flag` — true, false or null; default `null`. Whether.",
        "- `path` — path or null; default `null`. Where.",
        '- `names` — text or list of text; default `""`. Who.',
        "- `options` — mapping; default `{}`. What else.",
        "- `workers` — integer ≥ 1; default `2`. How many. *Speed only.*",
    ]


def test_long_help_hangs_below_its_bullet() -> None:
    lines = module._wrapped("word " * 50, "  - ").splitlines()
    assert len(lines) == 3
    assert all(line.startswith("    word") and len(line) <= 110 for line in lines[1:])


@pytest.mark.parametrize("registry", [STAGES, SIGNALS, RULES], ids=lambda r: r.noun)
def test_everything_registered_is_on_the_page_with_all_its_keys(registry: Any) -> None:
    page = reference()
    for name, made in registry.items():
        _, found, rest = page.partition(f"### {name} ({registry.noun})\n")
        assert found
        entry = rest.partition("\n### ")[0]
        assert all(f"- `{key}` — " in entry for key in made.Config.model_fields)


def test_a_stage_shows_its_command_line() -> None:
    line = "    sluice warmup model=MODEL [trusted=MESSAGES] [data=MESSAGES] [key=value ...]  # makes: gate\n"
    assert line in reference("warmup")


def test_a_name_that_two_kinds_share_shows_both() -> None:
    page = reference("random")
    assert "### random (signal)" in page
    assert "### random (rule)" in page


def test_an_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'pretrain'"):
        reference("pretrian")


def test_a_shape_and_a_preset_of_one_name_are_both_told() -> None:
    shape, preset = reference("gsm8k").split("### gsm8k (preset)")
    assert "- `marks` — `keep` or `drop`; default `keep`." in shape
    assert "{hub: openai/gsm8k, shape: gsm8k, config: main, split: train}" in preset
    assert preset.endswith("Licence: mit.")
    assert "Mind: not for commercial use" in reference("pku_saferlhf")


def test_the_keys_of_a_bake_off_are_told() -> None:
    told = reference("bench")
    assert "- `budgets` — list of " in told
    assert "- `signals.NAME.signal` — text" in told
    assert told in reference()
