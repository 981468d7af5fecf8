"""docs/training_real.md shows the commands of the script that it is of, all of them and as they are."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_commands_shown_are_those_of_the_script() -> None:
    page = (ROOT / "docs" / "training_real.md").read_text(encoding="utf-8")
    script = (ROOT / "examples" / "real_training.sh").read_text(encoding="utf-8")
    assert "\n".join(re.findall(r"```bash\n(.*?)```", page, re.DOTALL)) == script
