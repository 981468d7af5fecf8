"""Whether two models say the same of a few texts in two languages."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sluicegate.errors import CheckFailed
from sluicegate.models.load import Loaded
from sluicegate.models.positions import readable_length

PROBES = (
    "Tom has 3 boxes with 12 apples each and gives 7 apples away. How many are left? 3 * 12 = 36 and 36 - 7 = 29.",
    "小明有 3 盒苹果，每盒 12 个，送出 7 个后还剩几个？3 × 12 = 36，36 − 7 = 29，所以还剩 29 个。",
    "def area(r):\n    return 3.14159 * r ** 2\n",
)
"""Prose, Chinese and code: other tokens, and other paths through a mixture of experts."""
LONGEST = 128


@dataclass(frozen=True)
class Agreement:
    """How near two models are on the probes."""

    distance: float
    """‖b - a‖ / ‖a‖ of their logits, in the Frobenius norm."""
    same_token: float
    """Share of the places where both find the same token most likely."""

    @classmethod
    def of(cls, a: Tensor, b: Tensor) -> Agreement:
        """Of logits (T, V) each."""
        distance = (b - a).norm() / a.norm()
        return cls(float(distance), float((a.argmax(-1) == b.argmax(-1)).float().mean()))

    def check(self, tolerance: float, what: str, hint: str) -> None:
        """Raise `CheckFailed` where they are further apart, or where one of them gives no numbers."""
        if not self.distance <= tolerance:
            told = f"{what} changed the logits by {self.distance:.2g} of their norm, more than {tolerance:g}"
            raise CheckFailed(told, hint)


@torch.inference_mode()
def probe(loaded: Loaded) -> Tensor:
    """Logits (T, V) of a model at every token of the probes, in float32."""
    model = loaded.model.eval()
    longest = min(LONGEST, readable_length(model.config, LONGEST))
    rows = (loaded.tokenizer(text, add_special_tokens=False)["input_ids"][:longest] for text in PROBES)
    found = [model(input_ids=torch.tensor([row], device=loaded.device)).logits[0] for row in rows]  # (T, V) each
    return torch.cat(found).float().cpu()
