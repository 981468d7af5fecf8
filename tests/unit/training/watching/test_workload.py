from __future__ import annotations

import numpy as np

from sluicegate.training.watching.workload import Workload

TOKENS, LABELS = np.array([10, 20, 30]), np.array([1, 2, 3])


def test_every_step_counts_its_own_rows_and_a_last_batch_may_be_short() -> None:
    work = Workload.of([2, 0, 1, 2, 2], 2, TOKENS, LABELS)
    assert len(work) == 3
    assert work.tokens.tolist() == [40, 50, 30]
    assert work.label_tokens.tolist() == [4, 5, 3]
    assert work.of_steps(1, 3) == (120, 12)
    assert work.of_steps(2, 2) == (50, 5)
    assert [work.samples_until(step) for step in (0, 1, 3)] == [0, 2, 5]
