"""How the processes of a tuning share a batch: in equal parts, in one pass each or in several that are accumulated."""

from __future__ import annotations

from sluicegate.errors import ConfigError


def share(total: int, size: int | None, processes: int) -> tuple[int, int]:
    """Rows of a pass of one process, and passes of a step; so total = processes · passes · rows of a pass.

    Args:
        total: rows of an optimizer step.
        size: rows of a pass; None: all of a process's part.

    Raises:
        ConfigError: it does not come out even; the hint has the nearest batches and sizes that do.
    """
    rows = size or total // processes
    if rows and total % (rows * processes) == 0:
        return rows, total // (rows * processes)
    who = f"{processes} processes" if processes > 1 else "a process"
    by = f"{who} at {size} rows a pass" if size else who
    hint = _names("total_batch", near_batches(total, size, processes))
    if sizes := near_sizes(total, rows, processes) if size else []:
        hint += ", or " + _names("device_batch_size", sizes)
    raise ConfigError(f"total_batch {total} cannot be shared by {by}", hint)


def near_batches(total: int, size: int | None, processes: int) -> list[int]:
    """The nearest batches below and above `total` that such passes come out even with."""
    unit = (size or 1) * processes
    below = total // unit * unit
    return [batch for batch in (below, below + unit) if batch]


def near_sizes(total: int, size: int, processes: int) -> list[int]:
    """The nearest sizes of a pass below and above `size` that come out even with `total`; none where none does."""
    if total % processes:
        return []
    part = total // processes
    fits = [rows for rows in range(1, part + 1) if part % rows == 0]
    return [*[rows for rows in fits if rows < size][-1:], *[rows for rows in fits if rows > size][:1]]


def _names(key: str, values: list[int]) -> str:
    return " or ".join(f"{key}={value}" for value in values)
