from __future__ import annotations

from pathlib import Path

import torch
from gsm8k import made_up, messages, save_qwen3
from scoring_vs_naive import RANK, log_probabilities, old_way, score

from sluicegate.models.gates.surprise import N_SURPRISE, SurpriseGate
from sluicegate.models.load import load
from sluicegate.schema import make_record


def test_both_sides_find_the_same_numbers_of_rows_of_any_length(tmp_path: Path) -> None:
    texts = [*made_up(3, 0.3), *made_up(3, 0.1)]
    loaded = load(save_qwen3(tmp_path, texts, hidden=64, layers=2, vocab=300))
    rows = loaded.encoder(512).encode_batch([make_record(messages(row), "test", "en") for row in texts])
    gates = {n: SurpriseGate(64, RANK, N_SURPRISE) for n in range(2)}
    ours, theirs = score(loaded, gates, rows), old_way(loaded, gates, rows)
    assert ours.shape == (6, 2)
    assert ours.std(0).min() > 0
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
    longest = max(len(row.ids) for row in rows)
    assert log_probabilities(loaded, rows[:2], longest).shape == (2, longest, 300)
