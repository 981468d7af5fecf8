from __future__ import annotations

import inspect

import pytest

from sluicegate import errors
from sluicegate.errors import SluiceError

CLASSES = {n: c for n, c in vars(errors).items() if inspect.isclass(c) and issubclass(c, SluiceError)}
CODES = {"SluiceError": 1, "StorageError": 1, "ConfigError": 2, "UnknownName": 2, "DataError": 3, "ArtifactError": 3}
CODES |= {"CheckFailed": 4, "MissingError": 5}


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_has_the_exit_code_of_its_remedy_and_says_what_it_is_for(name: str) -> None:
    assert CLASSES[name].exit_code == CODES[name]
    assert CLASSES[name].__doc__


def test_a_hint_is_a_second_line() -> None:
    assert str(SluiceError("x is wrong", "mend x")) == "x is wrong\nhint: mend x"
    assert str(SluiceError("x is wrong")) == "x is wrong"
    assert str(SluiceError("x is wrong", "mend x").args[0]) == "x is wrong"
