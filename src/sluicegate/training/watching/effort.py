"""What some steps of a training took: seconds, tokens per second, memory."""

from __future__ import annotations

from sluicegate.training.watching.curve import History
from sluicegate.training.watching.workload import Workload


def effort(steps: History, work: Workload) -> dict[str, float]:
    """Of steps that follow one another, as `Pace` timed them: without evaluations and checkpoints.

    `samples` counts the rows, or pairs, from the first step on; tokens are those of all processes, without padding;
    memory is the peak of this process so far, on a GPU what was allocated, else what was resident.
    """
    last = int(steps[-1]["step"])
    tokens, label_tokens = work.of_steps(int(steps[0]["step"]), last)
    seconds = sum(entry["seconds"] for entry in steps)
    return {
        "samples": work.samples_until(last),
        "seconds": round(seconds, 3),
        "tokens_per_second": round(tokens / seconds, 1),
        "label_tokens_per_second": round(label_tokens / seconds, 1),
        "peak_memory_gib": round(max(entry["memory"] for entry in steps) / 2**30, 3),
    }
