from __future__ import annotations

import random

import pytest

from sluicegate.data.world import chinese, english
from sluicegate.data.world.setting import Setting, invent

LEXICONS = {
    "one-en": english.ONE,
    "two-en": english.TWO,
    "three-en": english.THREE,
    "one-zh": chinese.ONE,
    "two-zh": chinese.TWO,
    "three-zh": chinese.THREE,
}


@pytest.fixture(params=LEXICONS)
def setting(request: pytest.FixtureRequest) -> Setting:
    return invent(random.Random(3), LEXICONS[request.param])


@pytest.fixture
def rng() -> random.Random:
    return random.Random(11)
