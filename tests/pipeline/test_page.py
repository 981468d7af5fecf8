"""The page in a real browser: every chart draws, nothing is fetched, nothing from the data runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fake_runs import FakeRuns
from sluicegate.evaluation import stats
from sluicegate.reporting import page
from sluicegate.reporting.summary import summarize

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), "")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run")
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND"
SETTLED = "--virtual-time-budget=10000"  # milliseconds of the page's own clock, which runs ahead when it is idle

RUN = "document.documentElement.dataset.ran = 1"
HOSTILE = f'</pre></script><script>{RUN}</script><img src="x" onerror="{RUN}"> 一共有多少个苹果？'
MARK = re.compile(r'aria-roledescription="(?:bar|point|line mark|rule mark|rect mark)"')
TELL_WIDTH = """<script>
const wait = setInterval(() => {
  const { scrollWidth, clientWidth, dataset } = document.documentElement;
  if (dataset.drawn) { console.log(`${clientWidth} wide, ${scrollWidth - clientWidth} cut off`); clearInterval(wait) }
}, 50);
</script>"""

pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium on this machine")


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a comparison whose rows, arms and title try to run something."""
    arms = FakeRuns(tmp_path_factory.mktemp("page") / "store", text=HOSTILE).arms()
    arms = {f"gate {HOSTILE}" if name == "gate" else name: runs for name, runs in arms.items()}
    return page.render(summarize(HOSTILE, arms, "random", 20, stats))


def opened(html: str, folder: Path) -> tuple[str, list[str]]:
    """The document once it is still, and what was written on its console."""
    (folder / "page.html").write_text(html, encoding="utf-8")
    profile, log = f"--user-data-dir={folder / 'profile'}", ("--enable-logging=stderr", "--log-level=0")
    command = [BROWSER, *FLAGS, OFFLINE, SETTLED, profile, *log, "--dump-dom", (folder / "page.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, re.findall(r'CONSOLE\W\d+\W* "(.*?)", source: ', done.stderr, re.DOTALL)


def test_every_chart_draws_and_nothing_else_happens(html: str, tmp_path: Path) -> None:
    document, console = opened(html, tmp_path)
    assert console == []
    root = document[: document.index("<head>")]
    assert 'data-drawn="8"' in root
    assert "data-error" not in root
    assert "data-ran" not in root
    charts = {chart.partition('"')[0]: chart for chart in document.split('data-chart="')[1:]}
    assert set(charts) == {"result", "faults", "signals", "budgets", "curves", "funnel", "histogram-0", "histogram-1"}
    for name, chart in charts.items():
        drawing = chart.partition("</figure>")[0]
        assert "<svg" in drawing, name
        assert MARK.search(drawing), name


@pytest.mark.parametrize(
    ("break_it", "trace"),
    [
        (lambda html: html.replace("</main>", f"<script>{RUN}</script></main>"), "data-ran"),
        (
            lambda html: html.replace("</main>", '<img src="https://example.com/a.png"></main>'),
            "Content Security Policy",
        ),
        (lambda html: html.replace('"type": "bar"', '"type": "no such mark"'), "data-error"),
    ],
    ids=["something ran", "something was fetched", "a chart is broken"],
)
def test_the_browser_would_tell(break_it: Callable[[str], str], trace: str, html: str, tmp_path: Path) -> None:
    document, console = opened(break_it(html), tmp_path)
    assert trace in document[: document.index("<head>")] + "".join(console)


def test_nothing_is_cut_off_on_a_phone(html: str, tmp_path: Path) -> None:
    (tmp_path / "phone.html").write_text(html + TELL_WIDTH, encoding="utf-8")
    _, console = opened('<iframe src="phone.html" style="width: 360px; height: 800px; border: 0"></iframe>', tmp_path)
    assert console == ["360 wide, 0 cut off"]
