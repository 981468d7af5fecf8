from __future__ import annotations

import re
from typing import Any

from sluicegate.data.corruptions.gibberish import gibberish


def test_words_become_letters_and_characters_other_characters_in_the_same_layout(damage: Any) -> None:
    got = damage(gibberish, "Tom has\n3 糖果")
    assert len(got) == 300
    assert all(re.fullmatch(r"[a-z]{2,8} [a-z]{2,8}\n[a-z]{2,8} [\u4e00-\u9fff]{2}", text) for text in got)
    assert set(damage(gibberish, " ")) == {None}
