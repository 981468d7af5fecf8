"""A bake-off as the ordinary steps of a recipe: every signal scores, every rule picks, and models are tuned on it all.

Whoever wins has to win against a random choice that knows as much: as many rows or label tokens, and the same trusted
rows wherever the signal used any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any, TypeAlias

from pydantic import Field, field_validator

from sluicegate.config import Config, build, build_inside
from sluicegate.errors import ConfigError
from sluicegate.registry import RULES, SIGNALS, STAGES, did_you_mean

Step: TypeAlias = tuple[str, dict[str, Any]]
"""Its name and its body."""
Budget: TypeAlias = Mapping[str, float]
Share: TypeAlias = Annotated[float, Field(gt=0, le=1)]
STATES = "perplexity"
"""What is scored beside a signal that reads no model, where a rule wants what a model saw of the prompts."""
CONTROL = "score-control"
LAST = "verdict"


class Contestant(Config):
    """A way to score the data."""

    signal: str = ""
    """Its column in the scores; if empty the one signal of its step, or its own name; its rules may read several."""
    step: dict[str, Any] = {}
    """More keys of the step that scores, such as `options`, another `gate`, or a `stage` that is not `score`."""
    rules: dict[str, dict[str, Any]] | None = Field(None, min_length=1)
    """Its own in place of the bake-off's: name to the keys of a select step."""


class BakeOff(Config):
    """What is set against what: `signals` times `rules` times `budgets`, each trained once per seed."""

    title: str = "Which rows are worth training on?"
    """Heading of the page."""
    data: str
    """The rows to choose from; where faults are known (see `plant`), signals are also judged by what they find."""
    model: str
    """Is read for the scores, and tuned on what is chosen."""
    trusted: str | None = None
    """Rows the user believes in, for the signals that learn from some, and for the arms of those."""
    test: str | None = None
    """Rows the tuned models are asked; without them none is tuned, and signals are judged by known faults alone."""
    gate: str | None = None
    """The gate for the signals that read one."""
    signals: dict[str, Contestant] = Field(min_length=1)
    """The contestants; a list of names is short for signals as they are."""
    rules: dict[str, dict[str, Any]] = Field(
        {"plain": {"rule": "top_k"}, "clusters": {"rule": "clusters"}}, min_length=1
    )
    """Name to the keys of a select step, its budget and what it ranks by left out."""
    budgets: list[dict[str, float]] = Field([{"fraction": 0.2}], min_length=1)
    """How much is chosen: `fraction`, `rows`, `tokens` or `token_fraction`, each with random arms of its own."""
    shares: list[Share] = Field([0.1, 0.2, 0.3], min_length=1)
    """Fractions at which clean rows are counted among the chosen ones, where faults are known."""
    seeds: list[int] = [0, 1, 2]
    """One model per arm and seed; random arms also draw other rows."""
    leading: list[str] = []
    """Arms, as `gate-clusters`, that are trained under `more_seeds` too: say beforehand which, not after a look."""
    more_seeds: list[int] = []
    """More seeds for the leading arms and for their controls."""
    arms: list[str] = ["*"]
    """Which of them are trained, as `gate-clusters` and `*-plain`; the others are scored and counted only."""
    tune: dict[str, Any] = {}
    """Keys of the fine-tuning (sluice docs sft)."""
    ask: dict[str, Any] = {}
    """Keys of the evaluation (sluice docs evaluate)."""

    @field_validator("signals", mode="before")
    @classmethod
    def _from_names(cls, given: Any) -> Any:
        return {name: {} for name in given} if isinstance(given, list) else given

    @field_validator("budgets")
    @classmethod
    def _one_each(cls, budgets: list[dict[str, float]]) -> list[dict[str, float]]:
        for budget in budgets:
            build_inside(RULES.get("top_k").Config, budget)
        return budgets

    @field_validator("budgets", "shares", "seeds", "more_seeds")
    @classmethod
    def _each_once(cls, given: list[Any]) -> list[Any]:
        if twice := [one for n, one in enumerate(given) if one in given[:n]]:
            raise ValueError(f"{twice[0]} is there twice")
        return given


def expand(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe with its `bench` written out in steps.

    Raises:
        ConfigError: it has none, or one with keys or names that are not known; a step already has a name it needs.
    """
    if "bench" not in recipe:
        hint = "write what is set against what under `bench:`, or take one that does: sluice ls recipes"
        raise ConfigError("this recipe has no bake-off", hint)
    config = build(BakeOff, recipe["bench"], "bench")
    build(STAGES.get("trial").Config, {"tune": config.tune, "ask": config.ask}, "bench")  # once, not for every trial
    steps = dict(recipe["steps"])
    for name, body in _Expansion(config, recipe["steps"]).steps():
        if name in steps:
            raise ConfigError(f"steps.{name} is a name the bake-off needs", "give the step, or the signal, another")
        steps[name] = body
    return {"vars": recipe["vars"], "steps": steps}


@dataclass(frozen=True)
class _Pick:
    """One contestant under one rule and budget."""

    contestant: str
    rule: str
    budget: Budget
    trusted: bool

    @property
    def arm(self) -> str:
        return f"{self.contestant}-{self.rule}"

    @property
    def name(self) -> str:
        return f"{self.arm}-{_spelt(self.budget)}"


@dataclass(frozen=True)
class _Expansion:
    config: BakeOff
    before: Mapping[str, Any]
    """The steps that stand before the bake-off's."""

    def steps(self) -> Iterator[Step]:
        scores = list(self._scores())
        picks = list(self._picks({**self.before, **dict(scores)}))
        tuned = _matching(picks, self.config.arms, "arms")
        tuned = [pick for pick in tuned if pick.budget in self.config.budgets and self.config.test]
        leading = _matching(tuned, self.config.leading, "leading") if tuned else []
        arms: dict[str, list[str]] = {}
        yield from scores
        yield from ((f"pick-{pick.name}", self._select(pick)) for pick in picks)
        more_seeds = [seed for seed in self.config.more_seeds if seed not in self.config.seeds]
        rounds = [(tuned, seed) for seed in self.config.seeds] + [(leading, seed) for seed in more_seeds]
        for trained, seed in rounds:
            for key, body in self._trials(trained, seed):
                name = f"{key}-{seed}"
                if "rule" in body:
                    yield f"pick-{name}", body
                else:
                    arms.setdefault(key, []).append(f"trial-{name}")
                    yield f"trial-{name}", body
        if tuned and not arms:
            raise ConfigError("bench.seeds is empty, so no arm would be trained", "give one, or leave out `test`")
        yield LAST, self._last(picks, tuned, arms)

    # Scores

    def _scores(self) -> Iterator[Step]:
        yield CONTROL, {"stage": "score", "data": self.config.data, "model": self.config.model, "signals": ["random"]}
        for name, contestant in self.config.signals.items():
            body = self._score(name, contestant)
            wants_states = any(_wants_states(rule, keys) for rule, keys in self._rules(contestant).items())
            if wants_states and _has_room_beside(body):
                beside = {"stage": "score", "data": self.config.data, "model": self.config.model, "signals": [STATES]}
                yield f"score-{name}-beside", beside
                body = {**body, "beside": f"score-{name}-beside"}
            yield f"score-{name}", body
            if wants_states and _is_blind(body):
                yield f"score-{name}-states", {**body, "signals": [*body["signals"], STATES]}

    def _score(self, name: str, contestant: Contestant) -> dict[str, Any]:
        body = {"stage": "score", "data": self.config.data, "model": self.config.model} | contestant.step
        takes = STAGES.get(body["stage"])
        if body["stage"] == "score":
            body.setdefault("signals", [contestant.signal or name])
            signals = [SIGNALS.get(signal) for signal in body["signals"]]
            reads_gate = any({signal.reads, signal.minus} & {"gate", "tuned"} for signal in signals)
            wires = {"gate": reads_gate, "trusted": any("trusted" in signal.needs for signal in signals)}
        else:
            wires = {wire: wire in takes.takes for wire in ("gate", "trusted")}
        given = {"gate": self.config.gate, "trusted": self.config.trusted}
        return {wire: given[wire] for wire, wanted in wires.items() if wanted and given[wire]} | body

    def _rules(self, contestant: Contestant) -> dict[str, dict[str, Any]]:
        return self.config.rules if contestant.rules is None else contestant.rules

    # Choices

    def _picks(self, steps: Mapping[str, Any]) -> Iterator[_Pick]:
        budgets: list[Budget] = [*self.config.budgets]
        budgets += [share for fraction in self.config.shares if (share := {"fraction": fraction}) not in budgets]
        for name, contestant in self.config.signals.items():
            informed = self._is_informed(name, steps)
            for rule in self._rules(contestant):
                yield from (_Pick(name, rule, budget, informed) for budget in budgets)

    def _is_informed(self, name: str, steps: Mapping[str, Any]) -> bool:
        """Whether a contestant learnt from trusted rows; a gate made elsewhere is taken to have.

        What is behind the data and the model does not count, for it is behind every arm.
        """
        trusted, known = self.config.trusted, {self.config.data, self.config.model}
        behind = set(_behind(steps, f"score-{name}", known))
        taught = {found for wire, found in behind if wire == "trusted" or found == trusted}
        gates = {found for wire, found in behind if wire == "gate" and found not in steps}
        strange = taught - {trusted} | (gates if trusted is None else set())
        if strange and self.config.test:
            what = f"bench.signals.{name} may know rows through '{min(strange)}' that no random arm is trained on"
            raise ConfigError(what, "name these rows by `trusted` under `bench:`, the same ones for all signals")
        return bool(taught or gates)

    def _column(self, name: str) -> str | None:
        """The column a contestant is ranked by; None where its rules read several."""
        contestant = self.config.signals[name]
        scored = contestant.step.get("signals", [])
        return contestant.signal or (name if not scored else scored[0] if len(scored) == 1 else None)

    def _select(self, pick: _Pick) -> dict[str, Any]:
        keys = self._rules(self.config.signals[pick.contestant])[pick.rule]
        column = self._column(pick.contestant)
        by = {"by": column} if column else {}
        if RULES.get(keys.get("rule", "top_k")).needs_score and "by" not in {**by, **keys}:
            what = f"bench.signals.{pick.contestant} scores by several signals, of which rule '{pick.rule}' needs one"
            raise ConfigError(what, "name it by `signal`, or give it `rules` of its own, such as a blend")
        scores = f"score-{pick.contestant}-states" if self._reads_states(pick) else f"score-{pick.contestant}"
        options = {**keys.get("options", {}), **pick.budget}
        return {"stage": "select", "scores": scores, **by, **keys, "options": options}

    def _reads_states(self, pick: _Pick) -> bool:
        """Whether the rule wants what a model saw of the prompts, and the signal's own step has no model to look."""
        contestant = self.config.signals[pick.contestant]
        blind = _is_blind(self._score(pick.contestant, contestant))
        return blind and _wants_states(pick.rule, self._rules(contestant)[pick.rule])

    # Training

    def _trials(self, tuned: list[_Pick], seed: int) -> Iterator[Step]:
        """The controls, then every arm; the random choices stand before what is trained on them."""
        informed = sorted({pick.trusted for pick in tuned})
        for budget in self.config.budgets if tuned else []:
            chosen = f"random-{_spelt(budget)}"
            options = {**budget, "seed": seed}
            yield chosen, {"stage": "select", "scores": CONTROL, "rule": "random", "options": options}
            for trusted in informed:
                yield _control(chosen, trusted), self._trial(f"pick-{chosen}-{seed}", trusted, seed)
        if tuned:
            yield "all", self._trial(None, False, seed)
            if True in informed:
                yield "trusted", {**self._trial(None, False, seed), "data": self.config.trusted}
        for pick in tuned:
            yield pick.name, self._trial(f"pick-{pick.name}", pick.trusted, seed)

    def _trial(self, selection: str | None, trusted: bool, seed: int) -> dict[str, Any]:
        body = {"stage": "trial", "model": self.config.model, "data": self.config.data, "test": self.config.test}
        body |= {"selection": selection} if selection else {}
        body |= {"trusted": self.config.trusted} if trusted else {}
        return {**body, "tune": {**self.config.tune, "seed": seed}, "ask": self.config.ask}

    # The end

    def _last(self, picks: list[_Pick], tuned: list[_Pick], arms: Mapping[str, list[str]]) -> dict[str, Any]:
        chosen = [pick for pick in picks if pick.budget.get("fraction") in self.config.shares]
        entries = {pick.name: _entry(pick) for pick in tuned}
        for budget in self.config.budgets:
            for trusted in (False, True):
                key = _control(f"random-{_spelt(budget)}", trusted)
                entries[key] = {"rule": "random", "budget": dict(budget), "trusted": trusted}
        entries |= {"all": {}, "trusted": {"trusted": True}}
        return {
            "stage": LAST,
            "title": self.config.title,
            "data": self.config.data,
            "control": CONTROL,
            "scores": {name: [f"score-{name}"] for name in self.config.signals},
            "columns": {name: column for name in self.config.signals if (column := self._column(name))},
            "picks": {pick.name: [f"pick-{pick.name}"] for pick in chosen},
            "picked": {pick.name: _entry(pick) for pick in chosen},
            "arms": dict(arms),
            "trained": {key: entries[key] for key in arms},
        }


def _matching(picks: list[_Pick], patterns: list[str], key: str) -> list[_Pick]:
    arms = list(dict.fromkeys(pick.arm for pick in picks))
    for pattern in patterns:
        if not any(fnmatchcase(arm, pattern) for arm in arms):
            hint = did_you_mean(pattern, arms) or f"arms: {', '.join(arms)}"
            raise ConfigError(f"bench.{key}: no arm is called '{pattern}'", hint)
    return [pick for pick in picks if any(fnmatchcase(pick.arm, pattern) for pattern in patterns)]


def _is_blind(score: Mapping[str, Any]) -> bool:
    """Whether a step scores without reading a model."""
    return score["stage"] == "score" and all(SIGNALS.get(signal).reads == "nothing" for signal in score["signals"])


def _has_room_beside(score: Mapping[str, Any]) -> bool:
    """Whether a step that scores in a way of its own can put what a model saw of the prompts beside its scores."""
    return score["stage"] != "score" and "beside" in STAGES.get(score["stage"]).may_take and "beside" not in score


def _entry(pick: _Pick) -> dict[str, Any]:
    return {"signal": pick.contestant, "rule": pick.rule, "budget": dict(pick.budget), "trusted": pick.trusted}


def _control(name: str, trusted: bool) -> str:
    return f"{name}-trusted" if trusted else name


def _spelt(budget: Budget) -> str:
    return "-".join(f"{key}-{value:.15g}" for key, value in budget.items())


def _wants_states(name: str, keys: Mapping[str, Any]) -> bool:
    rule = RULES.get(keys.get("rule", "top_k"))
    options = build(rule.Config, {"fraction": 0.5, **keys.get("options", {})}, f"bench.rules.{name}.options")
    return "prompt_state" in rule(options).columns()


def _behind(steps: Mapping[str, Any], start: str, stops: set[str]) -> Iterator[tuple[str, str]]:
    """The inputs a step is made from, directly or not, each with the name of its wire; nothing behind `stops`."""
    seen, left = {*stops}, [start]
    while left:
        name = left.pop()
        if name in steps and name not in seen:
            seen.add(name)
            wires = _inputs(steps[name], name)
            yield from wires.items()
            left += wires.values()


def _inputs(step: Mapping[str, Any], name: str) -> dict[str, str]:
    """What a step names as its inputs."""
    stage = STAGES.get(step.get("stage", name))
    wires = {**stage.takes, **stage.may_take}.keys() - stage.grouped
    return {wire: str(step[wire]) for wire in sorted(wires) if step.get(wire) is not None}
