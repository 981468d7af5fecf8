"""What the package asks for and what the suite runs on agree."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = [text for extra in PROJECT["optional-dependencies"].values() for text in extra]
ASKED = [Requirement(text) for text in PROJECT["dependencies"] + EXTRAS if not text.startswith(PROJECT["name"])]


def pins() -> dict[str, str]:
    """Name to version of every line of `constraints.txt`."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("asked", ASKED, ids=lambda r: r.name)
def test_every_dependency_has_a_pin_inside_its_range(asked: Requirement) -> None:
    assert pins()[asked.name] in asked.specifier


def test_the_pin_of_torch() -> None:
    assert pins()["torch"] == "2.13.0"
