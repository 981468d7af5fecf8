"""For tests of plug-ins and of this package: a tiny pool, a tiny model, and the contract of each extension point.

    from sluicegate.testing import check_rule
    def test_my_rule(): check_rule(MyRule)

A check that fails raises `AssertionError` with the promise that was broken.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from sluicegate.artifacts import Artifact, Store, external, fingerprint, write_table
from sluicegate.config import Config, build, result_fields
from sluicegate.models.meter import SECONDS
from sluicegate.reference import block_in
from sluicegate.schema import Kind, Record, make_record

if TYPE_CHECKING:
    import numpy as np

    from sluicegate.data.corrupt import Corruption
    from sluicegate.scoring.base import Signal
    from sluicegate.selection.base import Decisions, Pool, Rule
    from sluicegate.stages.base import Stage

Family = Literal[
    "qwen2", "qwen3", "qwen3_moe", "llama", "mistral", "mixtral", "gemma2", "gemma3_text", "olmoe",
    "gpt2", "phi3", "gpt_neox", "sluice_gpt", "granite", "cohere", "cohere2",
]  # fmt: skip
"""The architectures Sluicegate is promised to work on, by the name `transformers` has for them."""
MIXTURES: tuple[Family, ...] = ("qwen3_moe", "mixtral", "olmoe")
"""Those of them that are mixtures of experts."""
END = "<|endoftext|>"
"""Named as Qwen names it, for its tokenizer class adds this token to any that lacks it."""
CLOSE = {"rel_tol": 1e-5, "abs_tol": 1e-5}


def tiny_pool(rows: int = 24) -> list[Record]:
    """Short sums, English and Chinese by turns, from two sources; every fifth ends in a wrong number."""
    return [_sum(n) for n in range(rows)]


def _sum(n: int) -> Record:
    a, b = n % 7 + 1, n // 7 + 2
    told = a + b + (n % 5 == 4)
    english, chinese = f"What is {a} plus {b}?", f"{a} 加 {b} 等于多少？"
    question, reply = (english, f"The answer is {told}.") if n % 2 == 0 else (chinese, f"答案是 {told}。")
    messages: Any = [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
    return make_record(messages, f"tiny/{n % 2}", ("en", "zh")[n % 2], str(a + b), {"fault": "wrong" * (n % 5 == 4)})


def tiny_model(folder: Path, family: Family = "qwen2", seed: int = 0) -> Path:
    """A causal LM of some 20,000 random parameters with a byte tokenizer, saved as `save_pretrained` does.

    Two layers, hidden size 16, vocabulary 258; the tokenizer has `<pad>` and an end token, and no chat template.
    """
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = _byte_tokenizer()
    tokens = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    config = tiny_config(family, **tokens, eos_token_id=tokenizer.eos_token_id)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_config(family: Family, **settings: Any) -> Any:
    """The config of a model of two layers, 16 wide, with four experts where it is a mixture; `settings` go before."""
    from transformers import AutoConfig

    import sluicegate.models.gpt  # noqa: F401  (registers its model type)

    sizes: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    sizes |= {"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 512, "bos_token_id": None}
    if family != "sluice_gpt":  # there it follows from the width
        sizes["head_dim"] = 8
    if family in MIXTURES:
        sizes |= {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    return AutoConfig.for_model(family, **sizes | settings)


def _byte_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({text: n for n, text in enumerate(["<pad>", END, *letters])}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>", eos_token=END)


# Rules --------------------------------------------------------------------------------------------------------------


def check_rule(rule: type[Rule], options: Mapping[str, Any] | None = None) -> None:
    """Hold a rule to what every rule promises, with budgets from one row to all of a pool of 60.

    Every record is decided, with a reason; the budget is met exactly, as far as there are records with a score; ranks
    are unique and the kept have the first; NaN is never kept; neither the order of rows nor a second call changes
    anything; nothing is read but the signal's column and what `reads()` names, so never `meta`.
    """
    check_config(rule.Config)
    for budget in ({"rows": 1}, {"rows": 7}, {"fraction": 0.5}, {"fraction": 1.0}, {"rows": 1000}):
        chooser = rule(build(rule.Config, {**(options or {}), **budget}))
        pool = _rule_pool(chooser)
        decided = chooser.select(pool)
        _check_decisions(decided, pool, chooser.config.budget(len(pool)))
        again = rule(chooser.config).select(pool)
        assert _by_id(again) == _by_id(decided), "a second call must decide the same"
        backwards = rule(chooser.config).select(_backwards(pool))
        assert _by_id(backwards) == _by_id(decided), "the order of the rows must not matter"
    _check_tokens(rule, options or {})
    empty = _rule_pool(chooser, rows=0)
    assert not list(chooser.select(empty).rows()), "a pool of none gives no decision"


def _check_tokens(rule: type[Rule], options: Mapping[str, Any]) -> None:
    """Of label tokens no more are kept than the budget has, one row apart, and not much less."""
    import numpy as np

    budgets = [{"tokens": n} for n in (1, 300, 100_000)] + [{"token_fraction": share} for share in (0.001, 0.3, 1.0)]
    for budget in budgets:
        chooser = rule(build(rule.Config, {**options, **budget}))
        pool = _rule_pool(chooser)
        decided, cost = chooser.select(pool), pool.column("n_label_tokens")
        tokens = chooser.config.token_budget(int(cost.sum()))
        kept, all_of_them = cost[decided.kept].sum(), cost[~np.isnan(pool.score)].sum()
        assert decided.kept.sum() == 1 or kept <= tokens, f"{kept} tokens kept of a budget of {tokens}"
        assert kept >= min(tokens, all_of_them) - 2 * cost.max(), f"only {kept} tokens kept of a budget of {tokens}"


def _rule_pool(rule: Rule, rows: int = 60) -> Pool:
    """Scores with ties and a few NaN, two sources of unequal size, three kinds of prompt; only what the rule reads."""
    import numpy as np

    from sluicegate.selection.base import Pool

    rng = np.random.default_rng(0)
    score = np.round(rng.normal(size=rows), 1).astype(np.float32)
    score[5::13] = np.nan
    columns: dict[str, np.ndarray] = {
        "signal": score,
        "signal_why": np.where(np.isnan(score), "made so", "").astype(object),
        "other": rng.normal(size=rows).astype(np.float32),
        "other_why": np.full(rows, "", dtype=object),
        "source": np.where(np.arange(rows) % 4 == 0, "small", "large").astype(object),
        "lang": np.where(np.arange(rows) % 3 == 0, "zh", "en").astype(object),
        "n_prompt_tokens": rng.integers(1, 50, rows, dtype=np.int32),
        "n_label_tokens": rng.integers(1, 50, rows, dtype=np.int32),
        "signal_targets": np.column_stack([score, -score, score % 1]),
        "prompt_state": (np.arange(rows)[:, None] % 3 + rng.normal(0, 0.1, (rows, 4))).astype(np.float32),
    }
    wanted = rule.columns("signal")
    unknown = set(wanted) - set(columns)
    assert not unknown, f"reads() names columns that scores do not have: {', '.join(sorted(unknown))}"
    ids = np.array([f"{n:04x}" for n in rng.permutation(rows)], dtype=str)
    return Pool(ids, {name: columns[name] for name in ("signal", "signal_why", *wanted)}, by="signal")


def _backwards(pool: Pool) -> Pool:
    from sluicegate.selection.base import Pool

    columns = {name: pool.columns[name][::-1] for name in pool.columns}
    return Pool(pool.ids[::-1], columns, pool.by)


def _check_decisions(decided: Decisions, pool: Pool, budget: int) -> None:
    import numpy as np

    scored = ~np.isnan(pool.score)
    assert list(decided.ids) == list(pool.ids), "one decision per record, in the order of the pool"
    assert all(isinstance(why, str) and why for why in decided.reason), "every decision has a reason"
    assert not decided.kept[~scored].any(), "a record without a score must not be kept"
    assert decided.kept.sum() == min(budget, scored.sum()), f"{decided.kept.sum()} kept of a budget of {budget}"
    assert sorted(decided.rank) == list(range(len(pool))), "ranks are 0 to N - 1, each once"
    assert set(decided.rank[decided.kept]) == set(range(decided.kept.sum())), "the kept have the first ranks"


def _by_id(decided: Decisions) -> dict[str, Any]:
    return {row["id"]: row for row in decided.rows()}


# Signals ------------------------------------------------------------------------------------------------------------


def tiny_gate(folder: Path, model: Path) -> Artifact:
    """A gate of `model` in the store `folder`, warmed up for a second on short sums, with a tuned copy beside it."""
    from sluicegate.stages.warmup import Warmup

    tuning = {"method": "full", "steps": 20, "learning_rate": 2e-2}
    config = build(Warmup.Config, {"reference": tuning, "epochs": 1, "copies": 2})
    data = sealed(folder, "messages", lambda out: {"rows": write_table(out / "messages.parquet", _clean(100), Record)})
    inputs = {"model": external(model.resolve(), f"model-external-{model.name}"), "trusted": data}
    return sealed(folder, "gate", lambda out: Warmup().fill(out, config, inputs), inputs)


def check_signal(signal: type[Signal], folder: Path, options: Mapping[str, Any] | None = None) -> None:
    """Hold a signal to what every signal promises, on a tiny model and gate made in `folder` (or there already).

    One finite number per row, or a sentence saying why there is none; the same numbers at a second call, in any order
    of rows, whatever rows stand beside them, and read one at a time or all at once (to 1e-5); the same again once it
    has learned anew from the same trusted rows. Rows come without their `meta`, so a signal that needs it fails.
    """
    check_config(signal.Config)
    unknown = signal.needs - {"trusted"}
    assert not unknown, f"`needs` names inputs that the score stage does not have: {', '.join(sorted(unknown))}"
    config = build(signal.Config, options or {})
    score = _scorer(signal, config, folder)
    rows = [*tiny_pool(), _without_room_for_a_reply()]
    one = score(rows, 4096)
    assert score(rows, 4096) == one, "a second call must score the same"
    _assert_same(score(rows[::-1], 4096), one, "the order of the rows must not matter")
    _assert_same(score(rows, 1), one, "how many rows are read at once must not matter")
    _assert_same(score(rows[:5], 4096) | score(rows[5:], 4096), one, "the rows beside a row must not matter")
    assert _scorer(signal, config, folder)(rows, 4096) == one, "the same trusted rows must teach the same"


def _scorer(signal: type[Signal], config: Config, folder: Path) -> Callable[[list[Record], int], dict[str, Any]]:
    """(rows, padded tokens per forward pass) -> id to score."""
    from sluicegate.models.encode import Encoder
    from sluicegate.models.load import load_tokenizer
    from sluicegate.scoring.forward import open_reader
    from sluicegate.scoring.passes import Pass, fit_signals, shard_for

    model = folder / "model" if (folder / "model").is_dir() else tiny_model(folder / "model")
    gate, facts = _gate_for(signal, folder, model)
    read: Any = "tuned" if gate else signal.reads
    step = Pass(read, {"signal": (signal(), config)}, signal.reads == "gate")
    reader = open_reader(step, model, gate, facts)
    encoder = Encoder(load_tokenizer(model), max_length=128)
    learned = fit_signals(step, reader, encoder, _without_meta(_clean(30)), 4096)

    def score(rows: list[Record], batch_tokens: int) -> dict[str, Any]:
        rows = _without_meta(rows)
        encoded = encoder.encode_batch(rows)
        seen = reader.see(encoded, batch_tokens, lambda n: None, False, step.signals) if reader else None
        shard = shard_for("signal", rows, encoded, seen, learned["signal"])
        scored = signal().score(shard, config)
        assert len(scored) == len(rows), f"{len(scored)} scores for {len(rows)} rows"
        for column, values in signal().further(shard, config).items():
            assert len(values) == len(rows), f"{len(values)} numbers in column '{column}' for {len(rows)} rows"
        for value in scored:
            assert value if isinstance(value, str) else math.isfinite(value), "a row without a score has a reason"
        return dict(zip([row["id"] for row in rows], scored, strict=True))

    return score


def _gate_for(signal: type[Signal], folder: Path, model: Path) -> tuple[Path | None, dict[str, Any] | None]:
    """The gate a signal reads, with its facts; (None, None) for one that reads none."""
    if signal.reads not in ("gate", "tuned"):
        return None, None
    gate = tiny_gate(folder / "store", model).path
    return gate, json.loads((gate / "gate.json").read_text(encoding="utf-8"))


def _clean(rows: int) -> list[Record]:
    """Those of a tiny pool that end in the right number."""
    return [row for row in tiny_pool(rows) if "wrong" not in row["meta"]]


def _without_meta(rows: list[Record]) -> list[Any]:
    return [{name: row[name] for name in row if name != "meta"} for row in rows]  # type: ignore[literal-required]


def _without_room_for_a_reply() -> Record:
    messages: Any = [{"role": "user", "content": "How much? " * 40}, {"role": "assistant", "content": "Much."}]
    return make_record(messages, "tiny/0", "en")


def _assert_same(found: dict[str, Any], expected: dict[str, Any], promise: str) -> None:
    for one, value in expected.items():
        close = value == found[one] if isinstance(value, str) else math.isclose(value, found[one], **CLOSE)
        assert close, f"{promise}: {value} became {found[one]}"


# Corruptions --------------------------------------------------------------------------------------------------------


def check_corruption(maker: Corruption) -> None:
    """Hold a corruption to what every corruption promises, on short rows in two languages, numbers in words among them.

    It damages some of them; it draws from the `rng` it is given alone, so the same seed does the same damage; it
    leaves the rows as they are; it says None, and does not fail, where there is too little to damage or to draw from.
    """
    rows, state = [*tiny_pool(60), *_in_words()], random.getstate()
    before = json.dumps(rows)
    one, two = ([maker(random.Random(n), row, rows) for n, row in enumerate(rows)] for _ in range(2))
    assert any(one), "it must damage some rows"
    assert one == two, "the same rng must do the same damage"
    assert random.getstate() == state, "it must draw from the rng it is given"
    for text in ("", "5", "对"):
        reply: Any = [{"role": "user", "content": "How much?"}, {"role": "assistant", "content": text}]
        damaged = maker(random.Random(0), make_record(reply, "tiny/0", "en"), [])
        assert damaged is None or isinstance(damaged, str), "the damage is a text or None"
    assert json.dumps(rows) == before, "the rows must be left as they are"


def _in_words() -> list[Record]:
    pairs = {"What is two plus three?": "It is five, not six.", "二加三等于多少？": "等于五，不是六。"}
    chats: list[Any] = [
        [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
        for question, reply in pairs.items()
    ]
    return [make_record(chat, "tiny/words", lang) for chat, lang in zip(chats, ("en", "zh"), strict=True)]


# Stages and configs -------------------------------------------------------------------------------------------------


def check_config(config: type[Config]) -> None:
    """Every key is documented, and the class is frozen and refuses keys it does not know; nested blocks too."""
    undocumented = [name for name, info in config.model_fields.items() if not info.description]
    assert not undocumented, f"keys without a docstring under them: {', '.join(undocumented)}"
    assert config.model_config.get("frozen"), f"{config.__qualname__} must be frozen"
    assert config.model_config.get("extra") == "forbid", f"{config.__qualname__} must refuse unknown keys"
    for block in filter(None, (block_in(info.annotation) for info in config.model_fields.values())):
        check_config(block)


def check_declared(stage: type[Stage]) -> None:
    """Kinds are those of the house, no input is named twice or as a key is, the config is documented."""
    kinds = get_args(Kind)
    inputs = [*stage.takes.items(), *stage.may_take.items()]
    assert {stage.makes, *(kind for _, kind in inputs)} <= set(kinds), f"a kind is one of {kinds}"
    names = [*(name for name, _ in inputs), *stage.Config.model_fields]
    assert len(names) == len(set(names)), "inputs and keys stand side by side in a recipe: no name twice"
    assert "stage" not in names, "`stage` is the word a recipe names the stage by"
    check_config(stage.Config)


def check_stage(
    stage: type[Stage], options: Mapping[str, Any], inputs: Mapping[str, Artifact], folder: Path
) -> Artifact:
    """Hold a stage to what every stage promises by making its artifact twice, below `folder`; returns the first.

    Kinds and config are declared; pins repeat; the numbers are plain JSON; numbers and files are the same both times
    (of the numbers not `working_seconds`, of the files not those that `timed` names).
    """
    check_declared(stage)
    assert set(stage.takes) <= set(inputs), f"this check needs inputs {set(stage.takes)}"
    config = build(stage.Config, options)
    assert stage().pins(config) == stage().pins(config), "pins must repeat"
    one, two = (_made(stage(), config, inputs, folder / name) for name in ("first", "second"))
    assert repeatable(one) == repeatable(two), "the same config and inputs must give the same numbers"
    files = [repeatable_files(made, stage.timed) for made in (one, two)]
    assert files[0] == files[1], "the same config and inputs must give the same files"
    return one


def repeatable(made: Artifact) -> dict[str, Any]:
    """The numbers of an artifact, without the seconds that its making took."""
    return {name: value for name, value in made.stats.items() if name != SECONDS}


def repeatable_files(made: Artifact, timed: Collection[str]) -> list[dict[str, Any]]:
    """What the manifest says of an artifact's files, without those that tell of time."""
    return [entry for entry in made.manifest["files"] if entry["path"].partition("/")[0] not in timed]


def _made(stage: Stage, config: Config, inputs: Mapping[str, Artifact], root: Path) -> Artifact:
    recipe = {"stage": stage.name, "stage_version": stage.version, "pins": stage.pins(config)}
    recipe |= {"config": result_fields(config)}
    return sealed(root, stage.makes, lambda out: stage.fill(out, config, dict(inputs)), inputs, recipe)


def sealed(
    root: Path,
    kind: Kind,
    fill: Callable[[Path], dict[str, Any] | None],
    inputs: Mapping[str, Artifact] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Artifact:
    """What `fill` writes into the folder it is given, as an artifact in the store `root`: input for a stage's test."""
    parents = dict(inputs or {})
    head: dict[str, Any] = {"kind": kind, "stage": "test", "stage_version": 1, "config": {}, "pins": {}}
    head |= recipe or {}
    head["inputs"] = {name: parent.id for name, parent in parents.items()}
    head["external"] = {p.id: str(p.path) for p in parents.values() if p.path.parent != root}
    return Store(root).make(f"{kind}-{fingerprint(head)}", lambda out: fill(out) or {}, head)
