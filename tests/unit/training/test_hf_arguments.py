"""What a trainer is told by its own names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_type_hints

import pytest
import torch

from sluicegate.config import result_fields
from sluicegate.errors import ConfigError
from sluicegate.stages.sft import Sft
from sluicegate.training.hf_arguments import FIXED, OURS, arguments_class, check_hf
from sluicegate.training.preference.config import DpoConfig, OrpoConfig
from sluicegate.training.sft_config import SftConfig
from sluicegate.training.tuning_arguments import tuning_arguments

CONFIGS = [SftConfig, DpoConfig, OrpoConfig]


@pytest.mark.parametrize("kind", CONFIGS)
def test_what_we_do_not_decide_is_passed_on(kind: Any, tmp_path: Path) -> None:
    config = kind(method="full", hf={"optim": "adamw_torch", "adam_beta2": 0.95, "lr_scheduler_kwargs": {"a": 1}})
    check_hf(config)
    found = tuning_arguments(config, torch.device("cpu"), 4, tmp_path)
    assert (found["optim"], found["adam_beta2"], list(found)[-1]) == ("adamw_torch", 0.95, "lr_scheduler_kwargs")
    assert result_fields(config)["hf"] == config.hf, "another fingerprint"


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("learning_rate", "learning_rate"),
        ("bf16", "dtype"),
        ("save_steps", "checkpoints.every"),
        ("fsdp", "launch.strategy"),
    ],
)
def test_what_a_key_of_ours_decides_is_refused_by_its_name(kind: Any, name: str, key: str) -> None:
    with pytest.raises(ConfigError, match=f"hf.{name} is decided by the key {key}") as err:
        check_hf(kind(hf={name: 1}))
    assert err.value.hint == f"set {key} instead"


def test_a_key_that_only_others_have_decides_nothing() -> None:
    check_hf(DpoConfig(hf={"neftune_noise_alpha": 5.0}))
    with pytest.raises(ConfigError, match="decided by the key neftune_alpha"):
        check_hf(SftConfig(hf={"neftune_noise_alpha": 5.0}))
    with pytest.raises(ConfigError, match="decided by the key beta"):
        check_hf(OrpoConfig(hf={"beta": 0.2}))


@pytest.mark.parametrize(
    ("hf", "told", "hint"),
    [
        ({"adam_beta3": 0.9}, "hf.adam_beta3: TrainingArguments has no such argument", "did you mean 'adam_beta"),
        ({"packin": True}, "hf.packin: TrainingArguments has no such argument", "did you mean 'packing'?"),
        ({"adam_beta2": "much"}, r"hf.adam_beta2: input should be a valid number \(got 'much'\)", "TrainingArguments"),
        ({"optim": "adamw_trch"}, r"hf.optim: did you mean 'adamw_torch'\? \(got 'adamw_trch'\)", "TrainingArguments"),
        ({"dataloader_num_workers": True}, "hf.dataloader_num_workers: input should be a valid int", "TrainingArg"),
        ({"output_dir": "x"}, "hf.output_dir is what this training stands on", "leave it out"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence_when_a_run_is_planned(hf: Any, told: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=told) as err:
        Sft().check(Sft.Config(hf=hf), {"model", "data"})
    assert hint in err.value.hint


@pytest.mark.parametrize("kind", CONFIGS)
def test_nothing_we_tell_a_trainer_can_be_overruled(kind: Any, tmp_path: Path) -> None:
    told = tuning_arguments(kind(method="full"), torch.device("cpu"), 4, tmp_path)
    assert set(told) <= {*OURS, *FIXED}


def test_the_lists_name_arguments_there_are_and_keys_there_are() -> None:
    known = {name for kind in CONFIGS for name in get_type_hints(arguments_class(kind()))}
    assert {*OURS, *FIXED} <= known
    keys = {key for kind in CONFIGS for key in kind.model_fields}
    assert {key.partition(".")[0] for key in OURS.values()} <= keys
