"""A bake-off in a real browser: pictures draw, names keep apart, tables sort, and no text from the data runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fake_bake_off import bake_off, renamed
from sluicegate.reporting.bake_off import page

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"
SETTLED = "--virtual-time-budget=10000"  # milliseconds of the page's own clock, which runs ahead when it is idle
HOSTILE = '</script><img src="x" onerror="document.documentElement.dataset.ran = 1"> 门控'
NAMES = {
    "gate": HOSTILE,
    "ifd": "指令跟随难度（按损失之比）",
    "boost": "a signal with a name that is far too long for any axis",
}
PRESS = """<script>
const table = document.querySelector(".sheet");
const found = [];
for (const head of ["arm", "forward passes", "forward passes", "verdict"]) {
  [...table.querySelectorAll("button")].find((button) => button.textContent === head).click();
  const first = [...table.tBodies].map((body) => body.rows[0].cells[0].textContent);
  found.push(`${first.join("/")} ${table.querySelector("[aria-sort]").ariaSort}`);
}
document.documentElement.dataset.sorted = found.join("; ");
</script>"""
TELL_WIDTH = """<script>
const wait = setInterval(() => {
  const { scrollWidth, clientWidth, dataset } = document.documentElement;
  if (dataset.drawn) { console.log(`${clientWidth} wide, ${scrollWidth - clientWidth} cut off`); clearInterval(wait) }
}, 50);
</script>"""

pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium on this machine")


def opened(html: str, folder: Path) -> tuple[str, list[str]]:
    """The document once it is still, and what was written on its console."""
    (folder / "page.html").write_text(html, encoding="utf-8")
    profile, log = f"--user-data-dir={folder / 'profile'}", ("--enable-logging=stderr", "--log-level=0")
    command = [BROWSER, *FLAGS, OFFLINE, SETTLED, profile, *log, "--dump-dom", (folder / "page.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, re.findall(r'CONSOLE\W\d+\W* "(.*?)", source: ', done.stderr, re.DOTALL)


@pytest.mark.parametrize("given", [{}, {"metric": "loss", "seeds": 1}, {"arms": False}])
def test_every_picture_draws_and_nothing_else_happens(given: dict[str, Any], tmp_path: Path) -> None:
    document, console = opened(page(renamed(bake_off(**given), {**NAMES, "advice": HOSTILE})), tmp_path)
    assert console == []
    root = document[: document.index("<head>")]
    assert f'data-drawn="{5 if given.get("arms", True) else 1}"' in root
    assert "data-error" not in root
    assert "data-ran" not in root
    assert len(re.findall(r'<svg [^>]*class="marks"', document)) == (5 if given.get("arms", True) else 1)


def test_names_of_points_are_put_where_there_is_room(tmp_path: Path) -> None:
    document, _ = opened(page(bake_off()), tmp_path)
    labels = re.findall(r'labels_marks".*?</g>', document, re.DOTALL)
    assert len(labels) == 2
    for found in labels:
        places = re.findall(r'translate\(([^)]*)\)[^>]*opacity="1">', found)
        assert len(places) >= 20
        assert len(set(places)) == len(places)


def test_a_table_sorts_by_the_head_that_is_pressed(tmp_path: Path) -> None:
    document, console = opened(page(bake_off()) + PRESS, tmp_path)
    found = re.search(r'data-sorted="([^"]*)"', document)
    assert console == []
    assert found
    assert found[1] == (
        "arithmetic, clusters/all rows ascending; less, clusters/all rows descending; "
        "arithmetic, clusters/all rows ascending; reference, clusters/all rows ascending"
    )


def test_nothing_is_cut_off_on_a_phone(tmp_path: Path) -> None:
    (tmp_path / "phone.html").write_text(page(renamed(bake_off(), NAMES)) + TELL_WIDTH, encoding="utf-8")
    _, console = opened('<iframe src="phone.html" style="width: 360px; height: 800px; border: 0"></iframe>', tmp_path)
    assert console == ["360 wide, 0 cut off"]
