"""Conversations that branch: several replies to one message, and each path from the root a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sluicegate.data.shapes.base import Columns, Conversation, Found, Several, Unfit
from sluicegate.data.shapes.columns import ROLES, json_or_itself, kind, text
from sluicegate.schema import Message


@dataclass(eq=False)
class _Node:
    """A message of a tree."""

    row: int
    """The number of the row it stands in."""
    value: Columns
    above: _Node | None = None
    replies: list[_Node] = field(default_factory=list)

    def path(self) -> list[_Node]:
        """From the root to this message."""
        path, node = [self], self
        while node.above:
            node = node.above
            path.append(node)
        return path[::-1]

    @property
    def asks(self) -> bool:
        """Whether the user says it."""
        return ROLES.get(str(self.value.get("role"))) != "assistant"


class _Oasst(Several):
    """What flat rows and whole trees have in common."""

    class Config(Several.Config):
        paths: Literal["all", "best"] = "all"
        """Every path from a tree's root to a last reply, or only the one of the best-ranked replies."""
        synthetic: Literal["keep", "drop"] = "keep"
        """Messages that a model wrote, and what hangs below them."""
        langs: list[str] = []
        """Only messages in these languages, named as the rows name them (en, zh); in all if empty."""


class OasstTree(_Oasst):
    """OASST1 (arXiv 2304.07327), a tree to a row: a `prompt` with `replies`, and replies to these."""

    name = "oasst_tree"
    columns = ("message_tree_id", "prompt")

    def fits(self, row: Columns) -> bool:
        """The prompt is a message."""
        return isinstance(json_or_itself(row["prompt"]), Mapping)

    def read_all(self, rows: Sequence[Columns], config: Any) -> Iterator[Found]:
        for n, row in enumerate(rows):
            yield from _tree(n, json_or_itself(row["prompt"]), config)


def _tree(n: int, prompt: Any, config: Any) -> Iterator[Found]:
    try:
        nodes = _nested(n, prompt)
    except Unfit as unfit:
        yield Found(unfit, (n,))
        return
    ends, whys = _walk(nodes[:1], config)
    yield from (Found(_conversation(end), (n,)) for end in ends)
    if not ends:
        yield Found(Unfit(next(iter(whys.values()))), (n,))


def _nested(row: int, prompt: Any) -> list[_Node]:
    """The messages of a tree, the root first."""
    nodes: list[_Node] = []
    todo: list[tuple[Any, _Node | None]] = [(prompt, None)]
    while todo:
        value, above = todo.pop()
        if not isinstance(value, Mapping):
            raise Unfit(f"wrong type: a message of a tree is {kind(value)}, not an object")
        node = _Node(row, value, above)
        nodes.append(node)
        if above:
            above.replies.append(node)
        replies = value.get("replies") or []
        if not isinstance(replies, list):
            raise Unfit(f"wrong type: 'replies' is {kind(replies)}, not a list of messages")
        todo += [(reply, node) for reply in reversed(replies)]
    return nodes


class OasstFlat(_Oasst):
    """OASST1 (arXiv 2304.07327), a message to a row: `message_id`, `parent_id`, and the tree both are of."""

    name = "oasst_flat"
    columns = ("message_id", "parent_id", "message_tree_id", "role", "text")
    gathers = "message_tree_id"

    def read_all(self, rows: Sequence[Columns], config: Any) -> Iterator[Found]:
        roots, lost = _linked(rows)
        ends, whys = _walk(roots, config)
        found = [Found(_conversation(end), tuple(node.row for node in end.path())) for end in ends]
        lost |= {node.row: why for node, why in whys.items()}
        yield from sorted([*found, *(Found(Unfit(why), (n,)) for n, why in lost.items())], key=lambda f: f.rows[-1])


def _linked(rows: Sequence[Columns]) -> tuple[list[_Node], dict[int, str]]:
    """The roots of the rows' trees, and the reasons of the rows that hang on none."""
    nodes: dict[str, _Node] = {}
    lost = {}
    for n, row in enumerate(rows):
        if (name := str(row["message_id"])) in nodes:
            lost[n] = f"same message: {name[:40]} stands twice"
        else:
            nodes[name] = _Node(n, row)
    roots = [node for node in nodes.values() if node.value["parent_id"] is None]
    for node in nodes.values():
        if node.value["parent_id"] is not None and (above := nodes.get(str(node.value["parent_id"]))):
            node.above = above
            above.replies.append(node)
    hanging = {node.row for node in _below(roots)}
    return roots, lost | {n.row: _NO_PARENT for n in nodes.values() if n.row not in hanging}


def _below(roots: Sequence[_Node]) -> Iterator[_Node]:
    """The roots and all that hangs below them, each message before its replies."""
    todo = list(reversed(roots))
    while todo:
        node = todo.pop()
        yield node
        todo += reversed(node.replies)


_NO_PARENT = "no parent: the message it replies to is not there"
_UNANSWERED = "unanswered: no reply hangs below it"
_WORSE = "not the best path: a reply beside it or above it ranks higher"


def _walk(roots: Sequence[_Node], config: Any) -> tuple[list[_Node], dict[_Node, str]]:
    """The last replies of all paths that are asked for, and why the messages on none of them are left out."""
    whys: dict[_Node, str] = {}
    for node in _below(roots):
        above = whys.get(node.above) if node.above else None
        if why := above or _left_out(node, config):
            whys[node] = why
    if config.paths == "best":
        whys |= _outranked(roots, whys)
    ends = _ends([node for node in _below(roots) if node not in whys])
    used = {node for end in ends for node in end.path()}
    return ends, {node: whys.get(node, _UNANSWERED) for node in _below(roots) if node not in used}


def _ends(usable: Sequence[_Node]) -> list[_Node]:
    """The replies below which the assistant says nothing more; each message stands before its replies."""
    leading: set[_Node | None] = set()
    ends = []
    for node in reversed(usable):
        if not node.asks and node not in leading:
            ends.append(node)
        if not node.asks or node in leading:
            leading.add(node.above)
    return ends[::-1]


def _left_out(node: _Node, config: Any) -> str:
    """Why a message, and all below it, is not used; nothing where it is."""
    row = node.value
    if row.get("deleted") is True:
        return "deleted: the message, or one above it, was taken back"
    if row.get("synthetic") is True and config.synthetic == "drop":
        return "synthetic: a model wrote the message, or one above it"
    if config.langs and row.get("lang") not in config.langs:
        return f"other language: {row.get('lang')}"
    if ROLES.get(str(row.get("role"))) not in ("user", "assistant"):
        return f"unknown role: {str(row.get('role'))[:40]!r}"
    return "" if isinstance(row.get("text"), str) else f"wrong type: 'text' is {kind(row.get('text'))}, not text"


def _outranked(roots: Sequence[_Node], whys: Mapping[_Node, str]) -> dict[_Node, str]:
    """Every message that can be used, but not on the path that takes the best-ranked reply at each message."""
    best: set[_Node] = set()
    for root in roots:
        node: _Node | None = root if root not in whys else None
        while node:
            best.add(node)
            node = min((r for r in node.replies if r not in whys), key=_rank, default=None)
    return {node: _WORSE for node in _below(roots) if node not in best and node not in whys}


def _rank(node: _Node) -> tuple[bool, float]:
    """0 is best; a message without a rank comes behind those that have one."""
    rank = node.value.get("rank")
    return (False, float(rank)) if isinstance(rank, int | float) else (True, 0.0)


def _conversation(end: _Node) -> Conversation:
    said = [Message(role=ROLES[text(n.value, "role")], content=text(n.value, "text")) for n in end.path()]
    meta = {name: end.value.get(name) for name in ("message_id", "rank", "synthetic")}
    return Conversation(said, meta={name: value for name, value in meta.items() if value is not None})
