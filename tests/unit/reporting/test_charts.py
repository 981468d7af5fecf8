from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sluicegate.artifacts import Artifact
from sluicegate.evaluation import stats
from sluicegate.reporting.charts import SILT, charts, curve_hues
from sluicegate.reporting.summary import Summary, summarize


def values(spec: Any) -> Iterator[list[dict[str, Any]]]:
    """Every table of rows in a spec."""
    for child in spec.values() if isinstance(spec, dict) else spec if isinstance(spec, list) else ():
        yield from values(child)
    if isinstance(spec, dict) and isinstance(spec.get("values"), list):
        yield spec["values"]


def rows(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return next(values(spec))


@pytest.fixture(scope="module")
def drawn(summary: Summary) -> dict[str, dict[str, Any]]:
    return charts(summary)


def test_every_number_of_the_summary_has_its_chart(drawn: dict[str, Any]) -> None:
    named = {"result", "faults", "signals", "budgets", "curves", "funnel", "histogram-0", "histogram-1"}
    assert set(drawn) == named
    assert all(spec["width"] == "container" and isinstance(spec["height"], int) for spec in drawn.values())


def test_what_is_unknown_is_not_drawn(bare: Summary) -> None:
    drawn = charts(bare)
    assert set(drawn) == {"result", "budgets", "curves", "funnel", "histogram-0", "histogram-1"}
    assert {row["arm"]: row["loss"] for row in _points(drawn["result"])}["gate"] == pytest.approx(1.35)


def _points(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return next(table for table in values(spec) if "label" in table[0] and len(table) > 1)


def test_losses_are_drawn_with_their_intervals(bare: Summary) -> None:
    spec = charts(bare)["result"]
    ends = [arm[key] for arm in bare["arms"] for key in ("low", "high")]
    [domain] = {tuple(found) for found in _domains(spec)}
    assert domain[0] < min(ends) < max(ends) < domain[1]
    assert [row["label"] for row in _points(spec)] == ["1.350", "1.550", "1.500", "1.520"]


def test_the_accuracy_axis_holds_every_interval_and_every_seed(summary: Summary, drawn: dict[str, Any]) -> None:
    ends = [arm[key] for arm in summary["arms"] for key in ("low", "high")]
    ends += [value for arm in summary["arms"] for value in arm["per_seed"]]
    [domain] = {tuple(found) for found in _domains(drawn["result"])}
    assert 0 <= domain[0] < min(ends) < max(ends) < domain[1] <= 1


def _domains(spec: dict[str, Any]) -> Iterator[list[float]]:
    for layer in spec["layer"]:
        if "domain" in layer["encoding"]["x"].get("scale", {}):
            yield layer["encoding"]["x"]["scale"]["domain"]


def test_only_the_control_is_grey(drawn: dict[str, Any]) -> None:
    tables = [table for table in values(drawn["result"]) if "control" in table[0]]
    assert all([row["arm"] for row in table if row["control"]] == ["random"] for table in tables)


def test_shares_of_faults_are_those_of_the_summary(summary: Summary, drawn: dict[str, Any]) -> None:
    cells = {(row["arm"], row["fault"]): row for row in rows(drawn["faults"])}
    assert len(cells) == 5 * 4
    assert cells["gate", "clean"]["share"] == summary["faults"]["gate"]["clean"]
    assert cells["gate", "dup"]["label"] == "0.0 %"
    assert cells["pool", "clean"]["label"] == "50.0 %"


def test_aurocs_are_those_of_the_summary(summary: Summary, drawn: dict[str, Any]) -> None:
    cells = {(row["signal"], row["fault"]): row for row in rows(drawn["signals"])}
    assert len(cells) == 2 * 4
    assert cells["gate", "all but duplicates"]["auroc"] == summary["signals"][0]["auroc"]


def test_budgets_and_funnel(summary: Summary, drawn: dict[str, Any]) -> None:
    assert {row["arm"]: row["label_tokens"] for row in rows(drawn["budgets"])} == {
        "gate": 2960,
        "random": 2960,
        "all": 11100,
        "trusted": 740,
    }
    assert rows(drawn["funnel"]) == summary["funnel"]


def test_kept_stands_on_dropped(drawn: dict[str, Any]) -> None:
    bars = rows(drawn["histogram-0"])
    assert sum(bar["rows"] for bar in bars if bar["fate"] == "kept") == 60
    assert all(bar["end"] - bar["start"] == bar["rows"] for bar in bars)
    ends = {bar["from"]: bar["end"] for bar in bars if bar["fate"] == "kept"}
    assert all(bar["start"] == ends[bar["from"]] for bar in bars if bar["fate"] == "dropped")


def test_room_above_long_names(arms: dict[str, list[Artifact]]) -> None:
    def padding(name: str) -> float:
        found = summarize("", {name: arms["gate"]}, "random", 0, stats)
        return charts(found)["faults"]["layer"][0]["encoding"]["x"]["axis"]["labelPadding"]

    assert padding("gate on three lines") > padding("gate")


def test_the_losses_of_training_are_means_over_the_seeds(drawn: dict[str, Any]) -> None:
    points = {(row["arm"], row["split"], row["step"]): row["loss"] for row in rows(drawn["curves"])}
    assert len(points) == 4 * 20 + 4
    assert points["gate", "train", 10] == pytest.approx(3 - 0.65 + 2 / 10 + 0.1)
    assert points["gate", "held out", 10] == pytest.approx(points["gate", "train", 10] + 0.2)
    assert points["all", "train", 10] == pytest.approx(3 - 0.5 + 2 / 10)
    assert {arm for arm, split, _ in points if split == "held out"} == {"gate"}


def test_arms_are_told_apart_by_colour_and_the_control_is_grey(summary: Summary) -> None:
    hues = curve_hues(summary)
    assert list(hues) == ["gate", "random", "all", "trusted"]
    assert hues["random"] == SILT
    assert len(set(hues.values())) == 4
