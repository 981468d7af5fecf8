"""The process that does algebra: a line of JSON in, `[number, seconds, answer, gold]`, a line out, `[number, equal]`.

The work is done by a child, whose process id is the first line. The system kills it when its time is up, in whatever
loop it is; another one stands in its place at once, for what takes long to import is imported before they part. It is
started as a script, and imports nothing of this package.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
from typing import Any

MEMORY = 4 << 30
"""Bytes a child may ask for: huge powers end here."""


def main() -> None:
    """Have a child answer, one after the other, until one of them comes to the end of the input."""
    import math_verify

    logging.disable()
    _is_equal(math_verify, "x + 1", "1 + x")  # which imports the rest
    while child := os.fork():
        _, status = os.waitpid(child, 0)
        if status == 0:
            return
    _answer(math_verify)


def _answer(math_verify: Any) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # which ends the process, and asks no interpreter
    print(os.getpid(), file=answers, flush=True)
    for line in sys.stdin:
        number, seconds, answer, gold = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        equal = _is_equal(math_verify, answer, gold)
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps([number, equal]), file=answers, flush=True)


def _is_equal(math_verify: Any, answer: str, gold: str) -> bool:
    one, other = (math_verify.parse(f"${text}$", parsing_timeout=None) for text in (answer, gold))
    same = math_verify.verify(other, one, timeout_seconds=None, allow_set_relation_comp=True)
    return bool(same)


if __name__ == "__main__":
    main()
