from __future__ import annotations

import re
from pathlib import Path

from fake_runs import HOSTILE
from sluicegate.artifacts import write_json
from sluicegate.reporting.index import entries, write_index
from sluicegate.testing import sealed


def report(root: Path, run: str, step: str, at: str, sentence: str = "b beats a", **stats: str) -> None:
    """A run with one step that made a report."""

    def fill(out: Path) -> dict[str, str]:
        (out / "report.html").write_text(f"<title>{run}</title>", encoding="utf-8")
        return stats or {"headline": sentence}

    made = sealed(root / run / "artifacts", "report", fill, recipe={"config": {"title": "A title", "at": at}})
    write_json(made.path / "manifest.json", made.manifest | {"made": {"at": at, "seconds": 1.0}})
    (root / run / step).symlink_to(Path("artifacts") / made.id)


def test_every_report_with_its_sentence_date_and_link_the_newest_first(tmp_path: Path) -> None:
    report(tmp_path, "one", "report", "2026-05-01T12:30:59Z")
    report(tmp_path, "two words", "verdict", "2026-05-02T08:00:00Z", advice="Take the gate")
    text = write_index(tmp_path).read_text(encoding="utf-8")
    assert [(entry.run, entry.sentence) for entry in entries(tmp_path)] == [
        ("two words", "Take the gate"),
        ("one", "b beats a"),
    ]
    assert "2 reports of 2 runs" in text
    assert "2026-05-01 12:30" in text
    links = re.findall('href="(.*?)"', text)
    assert links == ["two%20words/verdict/report.html", "one/report/report.html"]
    assert str(tmp_path) not in text
    assert all((tmp_path / link.replace("%20", " ")).is_file() for link in links)


def test_what_a_run_no_longer_names_is_not_listed(tmp_path: Path) -> None:
    report(tmp_path, "one", "report", "2026-05-01T12:00:00Z")
    (tmp_path / "one" / "report").unlink()
    report(tmp_path, "one", "report", "2026-05-03T12:00:00Z", "b falls behind a")
    assert [entry.sentence for entry in entries(tmp_path)] == ["b falls behind a"]


def test_pages_of_others_and_broken_reports_are_left_out(tmp_path: Path) -> None:
    report(tmp_path, "one", "report", "2026-05-01T12:00:00Z")
    (tmp_path / "one" / "report" / "manifest.json").write_text("{", encoding="utf-8")
    (tmp_path / "one" / "notes").mkdir()
    (tmp_path / "one" / "notes" / "report.html").write_text("mine", encoding="utf-8")
    assert entries(tmp_path) == []
    assert "0 reports of 0 runs" in write_index(tmp_path).read_text(encoding="utf-8")


def test_nothing_is_fetched_and_text_from_runs_makes_no_markup(tmp_path: Path) -> None:
    report(tmp_path, "one", "report", "2026-05-01T12:00:00Z", HOSTILE)
    text = write_index(tmp_path).read_text(encoding="utf-8")
    assert HOSTILE not in text
    assert "alert(1)&lt;/script&gt;" in text
    assert not re.search(r'(src|href)="(https?:|/)', text)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".draft"] == []
