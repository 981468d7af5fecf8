"""What a run tells on its way: a line in each process's own log, and points of TensorBoard from the first one."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sluicegate.runtime import note, rank


class Diary:
    """Numbers by step.

    Args:
        events: a folder for TensorBoard; None: the log alone.
        start: the step a run goes on from: what an attempt that was killed told beyond it does not count.
    """

    def __init__(self, events: Path | None, start: int = 0) -> None:
        self._writer = _writer(events, start) if events and rank() == 0 else None

    def tell(self, step: int, **numbers: float) -> None:
        """What was measured after `step` steps."""
        note(f"step {step}: " + ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in numbers.items()))
        if self._writer:
            for name, value in numbers.items():
                self._writer.add_scalar(name, value, step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer:
            self._writer.close()


def _writer(events: Path, start: int) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(events), purge_step=start or None)
