"""Workers that Ray starts make the same table, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from score_processes import asked, assert_same, done, end, make_inputs, scores, start
from stub_endpoint import digit_of, stub_endpoint

pytest.importorskip("ray")
pytestmark = pytest.mark.slow


def test_ray_makes_the_table_that_one_process_makes(tmp_path: Path) -> None:
    make_inputs(tmp_path, rows=20)
    done(start(asked(tmp_path, tmp_path / "here")))
    said = done(start(asked(tmp_path, tmp_path / "ray", "engine=ray", "workers=2")))
    assert_same(scores(tmp_path / "ray"), scores(tmp_path / "here"))
    assert "float32 on" not in said, "no model is opened but by the workers"
    assert len(said.splitlines()) < 10, f"Ray keeps quiet:\n{said}"


REFUSES = """\
{% if messages[0].content != 'question' and messages|length > 1 %}{{ raise_exception('no sums') }}{% endif %}
{% for m in messages %}{{ m.role }}: {{ m.content }}</s>{% endfor %}"""


def test_what_a_worker_cannot_score_is_told_as_anywhere_else(tmp_path: Path) -> None:
    make_inputs(tmp_path, rows=4)
    (tmp_path / "base/chat_template.jinja").write_text(REFUSES, encoding="utf-8")
    code, said = end(start(asked(tmp_path, tmp_path / "out", "engine=ray", "workers=1", "signals=[length]")))
    assert code == 3, said
    assert "the chat template refuses" in said
    assert "Traceback" not in said


def test_what_workers_ask_is_what_one_process_asks(tmp_path: Path) -> None:
    make_inputs(tmp_path, rows=12)
    with stub_endpoint(digit_of) as stub:
        told = ["signals=[deita,length]", f"options.deita.base_url={stub.url}", "options.deita.model=rater"]
        done(start(asked(tmp_path, tmp_path / "ray", "engine=ray", "workers=2", *told)))
        assert len(stub.bodies) == len(set(stub.questions)) == 2 * 12, "no question twice"
        done(start(asked(tmp_path, tmp_path / "here", *told)))
    assert_same(scores(tmp_path / "ray"), scores(tmp_path / "here"))
