"""The heat map in a real browser: nothing from the data runs, nothing is cut off, the pointer is told the numbers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from samples import make_sample
from sluicegate.reporting.heat_map import render

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"
HOSTILE = '</pre></script><img src="x" onerror="document.documentElement.dataset.ran = 1"> 苹果'
POINT = """<script type="module">
const token = document.querySelectorAll(".token")[2];
const { left, top } = token.getBoundingClientRect();
token.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: left + 2, clientY: top + 2 }));
const { scrollWidth, clientWidth, dataset } = document.documentElement;
dataset.told = document.getElementById("tip").textContent;
dataset.lit = document.querySelector(".turn .on").textContent;
dataset.over = scrollWidth - clientWidth;
</script></body>"""

pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium on this machine")


@pytest.mark.parametrize("width", [400, 1300])
def test_the_pointer_is_told_the_token_and_nothing_else_happens(width: int, tmp_path: Path) -> None:
    sample = make_sample([(HOSTILE, 1), ("苹", 2), (" tokens", 1), *[(" more", 1)] * 300], 28, prompt=HOSTILE)
    path = tmp_path / "page.html"
    path.write_text(render([sample], HOSTILE).replace("</body>", POINT), encoding="utf-8")
    size, profile = f"--window-size={width},900", f"--user-data-dir={tmp_path / 'profile'}"
    command = [BROWSER, *FLAGS, OFFLINE, size, profile, "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    root = re.search(r"<html[^>]*>", done.stdout)
    assert root
    assert "data-ran" not in root[0]
    assert 'data-over="0"' in root[0]
    assert 'data-lit="苹"' in root[0]
    logit, nll = float(sample.gates[0, 2]), float(sample.nll[2])
    assert f'data-told="⟦苹⟧ (token 2 of 2)\nlayer 0: gate logit {round(logit, 2):g}\nnll {round(nll, 2):g}"' in root[0]
