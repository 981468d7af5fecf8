"""`sluice compare`: one sentence, a table, a page, and an exit code for CI."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from sluicegate.cli import main
from sluicegate.errors import MissingError
from sluicegate.models.gates.files import save_gates
from sluicegate.models.gates.surprise import SurpriseGate
from sluicegate.testing import tiny_model
from sluicegate.verbs.compare import folder_of


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "base", "qwen3_moe")


def changed(base: Path, out: Path, *names: str) -> str:
    """A copy of the model in which weights of these endings are doubled."""
    shutil.copytree(base, out)
    tensors = load_file(base / "model.safetensors")
    doubled = {name: tensor * 2 if name.endswith(names) else tensor for name, tensor in tensors.items()}
    save_file(doubled, out / "model.safetensors")
    return str(out)


def test_two_of_a_kind(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(base), str(base), "--expect", "gates"]) == 0
    assert capsys.readouterr().out.startswith("nothing differs (0 of ")


def test_routers_alone_are_told_by_layer(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = changed(base, tmp_path / "b", "mlp.gate.weight")
    assert main(["compare", str(base), other, "--expect", "routers", "--tensors"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("only the routers of layers 0-1 differ (2 of ")
    assert "model.layers.1.mlp.gate.weight  changed  1" in told


def test_what_may_not_differ_fails_the_check(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = changed(base, tmp_path / "b", "mlp.gate.weight", "layers.1.self_attn.q_proj.weight")
    assert main(["compare", str(base), other]) == 0
    assert main(["compare", str(base), other, "--expect", "routers"]) == 4
    assert "the attention of layer 1 differ" in capsys.readouterr().err
    assert main(["compare", str(base), other, "--expect", "routers", "--expect", "attention"]) == 0
    assert main(["compare", str(base), other, "--only", "routers", "--expect", "routers"]) == 0


def test_the_page_holds_the_sentence_the_map_and_the_weights(base: Path, tmp_path: Path) -> None:
    other = changed(base, tmp_path / "b")
    save_gates({1: SurpriseGate(16, 2, 4)}, Path(other))
    page = tmp_path / "page.html"
    assert main(["compare", str(base), other, "--html", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "Only the gates of layer 1 (only in B) differ." in text
    assert "layers.1.mlp.quality_gate.now" in text
    assert '"group": "routers"' in text


def test_a_hub_name_that_was_never_fetched_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="no such model was fetched") as err:
        folder_of("someone/some-model", None)
    assert err.value.hint == "hf download someone/some-model"


def test_no_folder_and_no_artifact_is_exit_code_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "nothing", "nowhere"]) == 3
