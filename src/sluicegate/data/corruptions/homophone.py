"""Words mistaken for others that sound or look like them, as hurried typists and recognisers of speech and print do."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from sluicegate.data.corrupt import response
from sluicegate.schema import Record

_CHINESE = (
    "的地得 在再 做作 他她它 是事式 己已 那哪 像象向 以已意 有又 为位未 和合 进近 到道 时十 末未 拔拨 买卖 土士 "
    "人入 日曰 大太 天夫 千干 问间 住往 每美 个各 元员 共工 因应 所锁 数树 算酸 等登 答搭 果国 加家 减剪 乘成 除处 "
    "解接 需须 请情清 快块 半伴 话化 名明 分份 量两 还环 可科 多夺 少小 长常 高搞 里理 方放 后候"
)
_ENGLISH = (
    "there their", "its it's", "then than", "your you're", "to too two", "of off", "affect effect", "lose loose",
    "where were wear", "weather whether", "accept except", "by buy", "for four", "no know", "here hear", "new knew",
    "some sum", "hole whole", "right write", "would wood", "one won", "our hour", "see sea", "which witch", "or ore",
    "be bee", "so sew", "in inn", "are our", "from form", "whose who's", "past passed",
)  # fmt: skip
_GROUPS = [*map(tuple, _CHINESE.split()), *(tuple(group.split()) for group in _ENGLISH)]
_MISTAKES = {one: [o for group in _GROUPS if one in group for o in group if o != one] for g in _GROUPS for one in g}
_ANY = re.compile(rf"[{''.join(_CHINESE.split())}]|\b(?:{'|'.join(w for g in _ENGLISH for w in g.split())})\b")


def homophone(rng: random.Random, record: Record, others: Sequence[Record]) -> str | None:
    """One word or character in six, and at least one, of those the table knows."""
    text = response(record)
    found = list(_ANY.finditer(text))
    if not found:
        return None
    chosen = {m.start() for m in rng.sample(found, -(-len(found) // 6))}
    return _ANY.sub(lambda m: rng.choice(_MISTAKES[m.group()]) if m.start() in chosen else m.group(), text)
