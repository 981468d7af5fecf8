"""What a verb is: a word of the command line with its arguments, which prints what it finds."""

from __future__ import annotations

import argparse
from typing import ClassVar


class Verb:
    """Subclass it, name it, write `do`. Its module is imported for every command and imports nothing heavy itself."""

    name: ClassVar[str]
    help: ClassVar[str]
    """One line for `sluice --help`."""

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what it understands."""

    def do(self, args: argparse.Namespace) -> None:
        """Print what was asked for; raise `SluiceError` where that is not to be had."""
        raise NotImplementedError
