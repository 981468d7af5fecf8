"""Every error a user can cause: one class per remedy, each with an exit code and a hint."""

from __future__ import annotations


class SluiceError(Exception):
    """Base class. The command line prints message and hint, without a traceback, and exits with `exit_code`."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class ConfigError(SluiceError):
    """A recipe, an override or an option is not what its `Config` class allows."""

    exit_code = 2


class UnknownName(ConfigError):
    """A registry look-up missed."""

    def __init__(self, message: str, hint: str = "", name: str = "") -> None:
        super().__init__(message, hint)
        self.name = name


class DataError(SluiceError):
    """Rows that cannot be read, or too many of them that had to be set aside."""

    exit_code = 3


class ArtifactError(SluiceError):
    """An artifact is missing, of another kind, or not what its manifest says."""

    exit_code = 3


class CheckFailed(SluiceError):
    """A check the user asked for did not pass, for example `min_auroc` of a warm-up.

    Args:
        report: why, at length, in Markdown; a run writes it beside the step that is then not made.
    """

    exit_code = 4

    def __init__(self, message: str, hint: str = "", report: str = "") -> None:
        super().__init__(message, hint)
        self.report = report


class MissingError(SluiceError):
    """A dependency or a model is not there; the hint holds the command that gets it."""

    exit_code = 5


class StorageError(SluiceError):
    """The disk is full or not ours to write to."""
