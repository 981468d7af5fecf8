from __future__ import annotations

from pathlib import Path

from scoring_kills import PHASES, phase_of


def test_a_phase_is_told_by_what_stands_on_the_disk(tmp_path: Path) -> None:
    assert PHASES == ["import", "scoring", "merging", "sealing", "sealed"]
    found, hidden = [phase_of(tmp_path)], tmp_path / "artifacts" / ".scores-1"
    hidden.parent.mkdir()
    (hidden.parent / ".scores-1.lock").touch()
    found.append(phase_of(tmp_path))
    for file in ("shards/base-0-4.parquet", "shards/scores.parquet", "scores.parquet", "manifest.json"):
        (hidden / file).parent.mkdir(parents=True, exist_ok=True)
        (hidden / file).touch()
        found.append(phase_of(tmp_path))
    hidden.rename(hidden.with_name("scores-1"))
    assert [*found, phase_of(tmp_path)] == ["import", "import", "scoring", "merging", "sealing", "sealing", "sealed"]
