"""The process that does algebra: a line of JSON in, `[answer, gold]`, a line out, whether they are equal.

Started as a script and killed from outside when it takes too long, so it imports nothing of this package.
"""

from __future__ import annotations

import json
import logging
import resource
import sys
from typing import Any

MEMORY = 4 << 30
"""Bytes it may ask for: huge powers end here."""
ORPHAN_SECONDS = 60
"""Of one question, after which it ends itself, should who asked be gone."""


def main() -> None:
    """Answer until the input ends; the first line says that it is ready."""
    import math_verify

    logging.disable()
    _limit(resource.RLIMIT_AS, MEMORY)
    _is_equal(math_verify, "x + 1", "1 + x")  # which imports the rest
    answers, sys.stdout = sys.stdout, sys.stderr  # what a library prints is no answer
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + ORPHAN_SECONDS)
        print(json.dumps(_is_equal(math_verify, *json.loads(line))), file=answers, flush=True)


def _limit(what: int, soft: int) -> None:
    resource.setrlimit(what, (soft, resource.getrlimit(what)[1]))


def _is_equal(math_verify: Any, answer: str, gold: str) -> bool:
    one, other = (math_verify.parse(f"${text}$", parsing_timeout=None) for text in (answer, gold))
    same = math_verify.verify(other, one, timeout_seconds=None, allow_set_relation_comp=True)
    return bool(same)


if __name__ == "__main__":
    main()
