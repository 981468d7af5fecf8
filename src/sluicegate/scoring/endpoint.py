"""A language model behind an OpenAI-compatible endpoint: many questions at once, and another try where it may help."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from threading import Event
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from pydantic import Field, field_validator

from sluicegate import config
from sluicegate.config import runtime
from sluicegate.errors import MissingError

REFUSES_ALL, UNKNOWN = (401, 402, 403), 404
"""What a server says of the key or the account, and of the model."""
PASSING = (408, 409, 425, 429, 500, 502, 503, 504)
"""What a server says that may answer the next time."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 600.0
"""Seconds; each wait is twice the one before, or as long as the server asks for."""
DEAF = 16
"""Questions in a row whose answers are lost, after which the endpoint counts as gone."""
AGAIN = "run again: what was answered is not asked again"
SHOWN = 200
"""Characters that are told of what a server says."""


@dataclass(frozen=True)
class Answer:
    """What the model wrote."""

    text: str
    tokens: Sequence[tuple[str, Mapping[str, float]]] = ()
    """Each with the log-probabilities of all it might have been; none where the endpoint does not tell."""


class Endpoint:
    """Where questions are sent. The key is read here, and stands in no message, file or log.

    Raises:
        MissingError: the environment variable that is to hold the key holds none.
    """

    class Config(config.Config):
        base_url: str
        """Where the endpoint is, as https://api.openai.com/v1 or http://localhost:8000/v1."""
        model: str = Field(min_length=1)
        """Which of its models is asked."""
        key_env: str | None = runtime(None)
        """The environment variable that holds the key; without it none is sent."""
        top_logprobs: int = Field(20, ge=0, le=20)
        """Alternatives of a token that are asked for; 0 for an endpoint that refuses to tell them."""
        max_tokens: int = Field(8, ge=1)
        """Tokens an answer may have."""
        body: dict[str, Any] = {}
        """Further fields of every request, as {chat_template_kwargs: {enable_thinking: false}}; null takes one out."""
        parallel: int = runtime(8, ge=1)
        """Questions that are asked at once."""
        tries: int = runtime(6, ge=1)
        """How often a question is asked whose answer was lost on the way."""
        timeout: float = runtime(60.0, gt=0)
        """Seconds until an answer counts as lost."""

        @field_validator("base_url")
        @classmethod
        def _is_an_address(cls, url: str) -> str:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("is no address: write http://HOST:PORT/v1")
            if parts.username or parts.password or parts.query:
                raise ValueError("holds more than an address: put the key into the variable that key_env names")
            return url.rstrip("/")

        @field_validator("key_env")
        @classmethod
        def _is_a_name(cls, name: str | None) -> str | None:
            if name is not None and not re.fullmatch(r"[A-Za-z_]\w*", name):
                raise ValueError("is no name of an environment variable; the key itself must not stand here")
            return name

    def __init__(self, config: Any) -> None:
        self.config = config
        self._key = os.environ.get(config.key_env, "").strip() if config.key_env else ""
        if config.key_env and not re.fullmatch(r"[!-~]+", self._key):
            hint = "set it with: read -rs NAME && export NAME; or leave key_env out for an endpoint without keys"
            raise MissingError("the environment variable that key_env names holds no key", hint)

    def ask(self, questions: Sequence[str]) -> Generator[tuple[int, Answer | str]]:
        """The place of each question with its answer, or with why there is none, as they come.

        Raises:
            MissingError: the endpoint cannot be reached or answers no more, refuses the key or does not know the model.
        """
        stop, pool = Event(), ThreadPoolExecutor(self.config.parallel)
        asked = {pool.submit(self._answer, question, stop): place for place, question in enumerate(questions)}
        lost = 0
        try:
            for done in as_completed(asked):
                try:
                    answer, lost = done.result(), 0
                except _Lost as err:
                    answer, lost = str(err), lost + 1
                    if err.unreachable or lost >= min(DEAF, len(questions)):
                        hint = f"start it or correct base_url, and {AGAIN}"
                        raise MissingError(f"{self.config.base_url} does not answer: {err}", hint) from None
                yield asked[done], answer
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)

    def _answer(self, question: str, stop: Event) -> Answer | str:
        """Ask until there is an answer; `_Lost` where there are no more tries, or nobody waits for it any longer."""
        for number in range(1, self.config.tries):
            try:
                return self._post(question)
            except _Lost as err:
                if stop.wait(_backoff(number) if err.wait is None else err.wait):
                    raise
        return self._post(question)

    def _post(self, question: str) -> Answer | str:
        """Ask once; `_Lost` where another try may help."""
        try:
            with urlopen(self._request(question), timeout=self.config.timeout) as reply:
                return _read(reply.read())
        except HTTPError as err:
            with err:
                return self._refused(err)
        except TimeoutError:
            raise _Lost(f"no answer in {self.config.timeout:g} s") from None
        except URLError as err:
            raise _Lost(str(err.reason), unreachable=not isinstance(err.reason, TimeoutError)) from None
        except (HTTPException, ConnectionError) as err:
            raise _Lost(f"the connection broke: {err or type(err).__name__}") from None

    def _request(self, question: str) -> Request:
        told: dict[str, Any] = {"model": self.config.model, "messages": [{"role": "user", "content": question}]}
        told |= {"temperature": 0, "max_tokens": self.config.max_tokens}
        told |= {"logprobs": True, "top_logprobs": self.config.top_logprobs} if self.config.top_logprobs else {}
        body = {name: value for name, value in (told | self.config.body).items() if value is not None}
        request = Request(f"{self.config.base_url}/chat/completions", json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        if self._key:
            request.add_unredirected_header("Authorization", f"Bearer {self._key}")  # to nobody else
        return request

    def _refused(self, err: HTTPError) -> str:
        """Why this question gets no answer; raises where no other would either."""
        said = f"HTTP {err.code} {self._said(err)}".strip()
        if err.code in PASSING:
            raise _Lost(said, wait=_retry_after(err.headers.get("Retry-After", "")))
        if err.code in REFUSES_ALL:
            hint = f"put a key that it takes into the environment variable that key_env names, and {AGAIN}"
            raise MissingError(f"{self.config.base_url} refuses the key: {said}", hint)
        if err.code == UNKNOWN:
            what = f"{self.config.base_url} has no model '{self.config.model}', or no chat completions: {said}"
            raise MissingError(what, f"its models are told by: curl {self.config.base_url}/models")
        return said

    def _said(self, err: HTTPError) -> str:
        """The beginning of an error's own words on one line, without the key."""
        text = ""
        with suppress(HTTPException, OSError):  # cut off: then nothing
            text = err.read().decode("utf-8", "replace")
        with suppress(ValueError, LookupError, TypeError):  # not as OpenAI tells errors: then all of it
            text = json.loads(text)["error"]["message"]
        text = " ".join(str(text).split())
        return (text.replace(self._key, "…") if self._key else text)[:SHOWN]


class _Lost(Exception):
    """An answer that was lost on the way, and seconds to wait before the next try, where the server says so."""

    def __init__(self, why: str, wait: float | None = None, unreachable: bool = False) -> None:
        super().__init__(why)
        self.wait = wait
        self.unreachable = unreachable


def _read(body: bytes) -> Answer | str:
    try:
        choice = json.loads(body)["choices"][0]
        tokens = (choice.get("logprobs") or {}).get("content") or []
        known = [(t["token"], {o["token"]: float(o["logprob"]) for o in t.get("top_logprobs") or []}) for t in tokens]
        return Answer(choice["message"]["content"] or "", tuple(known))
    except (ValueError, LookupError, TypeError, AttributeError):
        return "what the endpoint sends is no chat completion"


def _backoff(number: int) -> float:
    """Seconds before the next try, some more and some less, that not all come back at once."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2 ** (number - 1)) * random.uniform(0.5, 1.0)


def _retry_after(header: str) -> float | None:
    """Seconds, from a header that says seconds or a date."""
    try:
        seconds = float(header) if header.isdigit() else parsedate_to_datetime(header).timestamp() - time.time()
    except ValueError:
        return None
    return min(LONGEST_WAIT, max(0.0, seconds))
