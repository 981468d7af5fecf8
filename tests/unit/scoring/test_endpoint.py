"""An endpoint that is slow, busy, broken, shut or gone, and a key that nobody gets to see."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from email.utils import formatdate
from typing import Any

import pytest

from sluicegate.config import build
from sluicegate.errors import ConfigError, MissingError
from sluicegate.scoring import endpoint
from sluicegate.scoring.endpoint import Answer, Endpoint
from stub_endpoint import Reply, Say, Stub, completion, stub_endpoint

FINE = completion("5")
KEY = "sk-very-secret"


@pytest.fixture(autouse=True)
def alone_and_in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of this machine comes between, and nothing is waited for that no server asks for."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(endpoint, "FIRST_WAIT", 0.001)


@pytest.fixture
def serve() -> Iterator[Callable[[Say], Stub]]:
    """`serve(say)`: a stub that lives as long as the test."""
    with ExitStack() as open_stubs:
        yield lambda say: open_stubs.enter_context(stub_endpoint(say))


def of(url: str, **options: Any) -> Endpoint:
    return Endpoint(build(Endpoint.Config, {"base_url": url, "model": "rater", **options}))


def ask(url: str, *questions: str, **options: Any) -> list[Answer | str]:
    """The answers in the order of the questions."""
    found = dict(of(url, **options).ask(questions))
    return [found[place] for place in range(len(questions))]


def in_turn(*replies: Reply) -> Say:
    """One reply after the other, then the last again and again."""
    left = list(replies)
    return lambda question: left.pop(0) if len(left) > 1 else left[0]


def test_every_question_gets_its_own_answer(serve: Callable[[Say], Stub]) -> None:
    stub = serve(completion)
    questions = [f"question {n}" for n in range(30)]
    assert ask(stub.url, *questions, parallel=7) == [Answer(question) for question in questions]
    assert sorted(stub.questions) == sorted(questions)


def test_what_is_sent(serve: Callable[[Say], Stub]) -> None:
    stub = serve(lambda question: FINE)
    ask(stub.url + "/", "Why?", body={"seed": 7, "max_tokens": None, "max_completion_tokens": 9}, top_logprobs=5)
    assert stub.bodies == [
        {
            "model": "rater",
            "messages": [{"role": "user", "content": "Why?"}],
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": 5,
            "seed": 7,
            "max_completion_tokens": 9,
        }
    ]
    assert stub.keys == [None]
    ask(stub.url, "Why?", top_logprobs=0)
    assert not {"logprobs", "top_logprobs"} & set(stub.bodies[1])


def test_log_probabilities_come_with_their_tokens(serve: Callable[[Say], Stub]) -> None:
    stub = serve(lambda question: completion("4", ("4", {"4": 0.5, "5": 0.25})))
    (answer,) = ask(stub.url, "?")
    assert isinstance(answer, Answer)
    ((token, others),) = answer.tokens
    assert token == "4"
    assert others == pytest.approx({"4": -0.6931, "5": -1.3863}, abs=1e-4)


def test_at_most_so_many_are_asked_at_once(serve: Callable[[Say], Stub]) -> None:
    running, most = [], []

    def say(question: str) -> Reply:
        running.append(question)
        most.append(len(running))
        time.sleep(0.02)
        running.remove(question)
        return FINE

    ask(serve(say).url, *map(str, range(12)), parallel=3)
    assert max(most) == 3


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(status: int, serve: Callable[[Say], Stub]) -> None:
    stub = serve(in_turn((status, {}, {"error": {"message": "busy"}}), FINE))
    assert ask(stub.url, "?") == [Answer("5")]
    assert len(stub.bodies) == 2


@pytest.mark.parametrize("when", ["seconds", "date"])
def test_it_waits_as_long_as_the_server_asks(when: str, serve: Callable[[Say], Stub]) -> None:
    header = "1" if when == "seconds" else formatdate(time.time() + 2, usegmt=True)
    stub = serve(in_turn((429, {"Retry-After": header}, {}), FINE))
    began = time.monotonic()
    assert ask(stub.url, "?") == [Answer("5")]
    assert 0.9 < time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("header", "seconds"), [("", None), ("soon", None), ("0", 0.0), ("3", 3.0), ("99999", endpoint.LONGEST_WAIT)]
)
def test_what_a_header_asks_for(header: str, seconds: float | None) -> None:
    assert endpoint._retry_after(header) == seconds


def test_waits_double_and_differ() -> None:
    waits = [[endpoint._backoff(number) for _ in range(9)] for number in (1, 2, 3)]
    assert all(0.0005 <= wait / 2**n <= 0.001 for n, found in enumerate(waits) for wait in found)
    assert all(len(set(found)) > 1 for found in waits)


def test_a_question_that_is_lost_again_and_again_is_given_up(serve: Callable[[Say], Stub]) -> None:
    busy = (503, {}, {"error": {"message": "out of\nmemory"}})
    stub = serve(lambda question: busy if question == "large" else FINE)
    assert ask(stub.url, "large", "small", tries=3) == ["HTTP 503 out of memory", Answer("5")]
    assert sorted(stub.questions) == ["large"] * 3 + ["small"]


def test_an_answer_that_does_not_come_in_time(serve: Callable[[Say], Stub]) -> None:
    def say(question: str) -> Reply:
        time.sleep(0.5 if question == "hard" else 0)
        return FINE

    assert ask(serve(say).url, "hard", "easy", timeout=0.2, tries=2) == ["no answer in 0.2 s", Answer("5")]


@pytest.mark.parametrize("questions", [1, 100])
def test_an_endpoint_that_loses_everything_is_gone(questions: int, serve: Callable[[Say], Stub]) -> None:
    stub = serve(lambda question: (500, {}, b"<html>oh</html>"))
    with pytest.raises(MissingError, match="does not answer: HTTP 500 <html>oh</html>"):
        ask(stub.url, *map(str, range(questions)), tries=2, parallel=2)
    assert len(stub.bodies) <= 2 * (endpoint.DEAF + 4)


def test_an_endpoint_that_falls_silent_half_way_is_not_waited_for(serve: Callable[[Say], Stub]) -> None:
    stub = serve(in_turn(*[FINE] * 30, (429, {}, {"error": {"message": "no money"}})))
    found = []
    with pytest.raises(MissingError, match="no money"):
        found.extend(of(stub.url, tries=1, parallel=2).ask([str(n) for n in range(500)]))
    assert len(stub.bodies) < 60


def test_a_question_that_is_refused_is_not_asked_again(serve: Callable[[Say], Stub]) -> None:
    too_long = (400, {}, {"error": {"message": "too long"}})
    stub = serve(lambda question: too_long if question == "long" else FINE)
    assert ask(stub.url, "long", "short") == ["HTTP 400 too long", Answer("5")]
    assert len(stub.bodies) == 2


@pytest.mark.parametrize("body", [b"<html>", [], {"choices": []}, {"choices": ["5"]}, {"choices": [{"message": None}]}])
def test_what_is_no_completion(body: Any, serve: Callable[[Say], Stub]) -> None:
    assert ask(serve(lambda question: (200, {}, body)).url, "?") == ["what the endpoint sends is no chat completion"]


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_key_that_is_refused_ends_it_and_is_told_to_nobody(
    status: int, serve: Callable[[Say], Stub], monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = serve(lambda question: (status, {}, {"error": {"message": f"wrong key {KEY}"}}))
    monkeypatch.setenv("RATER_KEY", KEY)
    with pytest.raises(MissingError, match="refuses the key: HTTP 40") as err:
        ask(stub.url, *map(str, range(50)), key_env="RATER_KEY", parallel=2)
    assert KEY not in str(err.value)
    assert "key_env" in err.value.hint
    assert set(stub.keys) == {f"Bearer {KEY}"}
    assert len(stub.bodies) < 50, "nobody waits for the others"


def test_a_key_does_not_follow_to_another_address(
    serve: Callable[[Say], Stub], monkeypatch: pytest.MonkeyPatch
) -> None:
    other: list[str | None] = []
    elsewhere = serve(lambda question: FINE)
    stub = serve(lambda question: (302, {"Location": f"{elsewhere.url}/chat/completions"}, {}))
    monkeypatch.setenv("RATER_KEY", KEY)
    monkeypatch.setattr(
        "http.server.BaseHTTPRequestHandler.do_GET",
        lambda self: other.append(self.headers["Authorization"]) or self.send_error(404),
        raising=False,
    )
    with pytest.raises(MissingError):
        ask(stub.url, "?", key_env="RATER_KEY")
    assert other == [None]


def test_a_model_that_is_not_there(serve: Callable[[Say], Stub]) -> None:
    stub = serve(lambda question: (404, {}, {"error": {"message": "no such model"}}))
    with pytest.raises(MissingError, match=r"has no model 'rater'.*no such model") as err:
        ask(stub.url, "?")
    assert err.value.hint == f"its models are told by: curl {stub.url}/models"


def test_nobody_there() -> None:
    with stub_endpoint(lambda question: FINE) as stub:
        pass
    with pytest.raises(MissingError, match=r"does not answer: .*refused") as err:
        ask(stub.url, *map(str, range(9)), tries=2)
    assert err.value.exit_code == 5
    assert "not asked again" in err.value.hint


def test_who_stops_listening_ends_it(serve: Callable[[Say], Stub]) -> None:
    stub = serve(lambda question: FINE)
    with closing(of(stub.url, parallel=2).ask([str(n) for n in range(200)])) as answers:
        next(answers)
    asked = len(stub.bodies)
    assert asked < 100
    time.sleep(0.05)
    assert len(stub.bodies) == asked


@pytest.mark.parametrize("value", ["", "  ", "two words", "schlüssel"])
def test_a_variable_without_a_key(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATER_KEY", value)
    with pytest.raises(MissingError, match="holds no key"):
        of("http://localhost", key_env="RATER_KEY")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "base_url: field required"),
        ({"base_url": "localhost:8000"}, "base_url: is no address"),
        ({"base_url": "file:///etc/passwd"}, "base_url: is no address"),
        ({"base_url": "https://me:secret@host/v1"}, "base_url: holds more than an address"),
        ({"base_url": "https://host/v1?key=secret"}, "base_url: holds more than an address"),
        ({"base_url": "https://host/v1", "key_env": "sk-secret"}, "key_env: is no name of an environment variable"),
    ],
)
def test_what_is_refused_before_anything_is_asked(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as err:
        build(Endpoint.Config, {"model": "rater", **options})
    assert "secret" not in str(err.value)
