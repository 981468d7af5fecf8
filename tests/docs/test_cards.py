"""The cards under docs/cards are what the packaged recipes make of the published files today."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.cli import main

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
CARDS = sorted(p.name for p in (ROOT / "docs" / "cards").iterdir() if p.is_dir())


def test_every_mix_has_a_card() -> None:
    recipes = {p.stem for p in (ROOT / "src" / "sluicegate" / "recipes").glob("mix_*.yaml")}
    assert set(CARDS) == recipes


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data is not here")
@pytest.mark.parametrize("name", CARDS)
def test_a_card_is_what_its_recipe_makes(name: str, tmp_path: Path) -> None:
    folder = DATA / name.removeprefix("mix_")
    assert main(["run", name, f"vars.data={folder}", f"out={tmp_path}"]) == 0
    for made in ("card.md", "lengths.svg"):
        kept = ROOT / "docs" / "cards" / name / made
        hint = f"sluice run {name} vars.data=FOLDER, and copy {made} here"
        assert (tmp_path / "mix" / made).read_text(encoding="utf-8") == kept.read_text(encoding="utf-8"), hint


@pytest.mark.parametrize("name", CARDS)
def test_no_card_tells_of_a_machine(name: str) -> None:
    text = (ROOT / "docs" / "cards" / name / "card.md").read_text(encoding="utf-8")
    assert "/home/" not in text
    assert str(ROOT.parent) not in text
