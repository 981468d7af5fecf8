from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from fake_runs import HOSTILE, FakeRuns
from sluicegate.evaluation import stats
from sluicegate.reporting.markdown import fence, plain, render
from sluicegate.reporting.summary import Summary, summarize

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
MARKUP = st.text(st.sampled_from("ab 重*_`~|<>[]()#&!\\-+:;=/.1\"'@"), min_size=1, max_size=40)


def shapes(text: str) -> list[str]:
    """What a Markdown reader sees, without the words."""
    return [token.type for token in READER.parse(text)]


def test_all_is_told(summary: Summary) -> None:
    text = render(summary)
    heads = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert text.startswith("# Which rows?\n")
    assert heads == ["Arms", "Differences", "Share of each fault", "AUROC of the signals", "Rows", "Examples"]
    assert "| gate | 3 | 80 | 2,960 | " in text
    assert "| all | random | " in text
    assert "| trained on | 80 |" in text
    assert "pigeonhole bootstrap over seeds and questions" in text
    assert shapes(text).count("table_open") == 5
    assert shapes(text).count("fence") == 40


def test_what_is_unknown_has_no_section(bare: Summary) -> None:
    heads = [line for line in render(bare).splitlines() if line.startswith("#")]
    assert heads == ["# Which rows?", "## Arms", "## Differences", "## Rows", "## Examples"]


def test_losses_have_intervals_and_say_which_way_is_better(bare: Summary) -> None:
    text, gate = render(bare), bare["arms"][0]
    assert "| clean share | loss [95 %] | training time |" in text
    assert f"| 1.350 [{gate['low']:.3f}, {gate['high']:.3f}] |" in text
    assert "| against | nats (below 0 is better) | 95 % |" in text
    assert "| gate | random | −0.200 | [−0." in text
    assert "in nats per label token (lower is better)" in text


def test_every_row_of_a_table_has_its_cells(summary: Summary) -> None:
    for line in render(summary).split("## Examples")[0].splitlines():
        if line.startswith("|"):
            assert line.endswith(" |")
    found = shapes(render(summary))
    assert found.count("th_open") == 8 + 6 + 6 + 5 + 2
    assert found.count("td_open") == 4 * 8 + 3 * 6 + 4 * 6 + 2 * 5 + 9 * 2


@pytest.mark.parametrize("text", [HOSTILE, "```\n# head\n````", "~~~\n<b>\n~~~"])
def test_text_from_the_data_makes_no_markup(tmp_path: Path, text: str) -> None:
    def report(name: str, said: str) -> str:
        arms = FakeRuns(tmp_path / name / "store", text=said).arms()
        arms = {said if arm == "gate" else arm: found for arm, found in arms.items()}
        return render(summarize(said, arms, "random", 20, stats))

    hostile = shapes(report("a", text))
    assert hostile == shapes(report("b", "peace"))
    assert "html_block" not in hostile


@given(MARKUP)
def test_plain_reads_as_it_was(text: str) -> None:
    inner = READER.parse(f"| a |\n| --- |\n| x{plain(text)}x |")
    cells = [token for token in inner if token.type == "inline"]
    assert [child.type for child in cells[1].children or []] == ["text"] * len(cells[1].children or [])
    assert "".join(child.content for child in cells[1].children or []) == f"x{' '.join(text.split())}x"


@given(st.text(st.sampled_from("`~ab #<\n"), max_size=40))
def test_a_fence_holds_any_text(text: str) -> None:
    found = READER.parse(fence(text))
    assert [(token.type, token.content) for token in found] == [("fence", text + "\n")]
