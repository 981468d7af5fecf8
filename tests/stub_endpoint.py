"""An OpenAI-compatible endpoint on this machine, that says what a test tells it to."""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from unittest.mock import patch

Reply = tuple[int, Mapping[str, str], Any]
"""Status, headers and body; a body of bytes is sent as it is, any other as JSON."""
Say = Callable[[str], Reply]
"""What is said to a question."""


@dataclass
class Stub:
    """What was asked of it."""

    url: str
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)

    @property
    def questions(self) -> list[str]:
        """As they came."""
        return [body["messages"][0]["content"] for body in self.bodies]


@contextmanager
def stub_endpoint(say: Say) -> Iterator[Stub]:
    """Serve `say` from a thread of this process; no proxy of this machine comes between."""
    lock = Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                stub.bodies.append(body)
                stub.keys.append(self.headers["Authorization"])
            found = self.path == "/v1/chat/completions"
            status, headers, told = say(body["messages"][0]["content"]) if found else (404, {}, {})
            content = told if isinstance(told, bytes) else json.dumps(told).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub = Stub(f"http://127.0.0.1:{server.server_port}/v1")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with patch.dict(os.environ, no_proxy="*"):
            yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def completion(text: str, *places: tuple[str, Mapping[str, float]]) -> Reply:
    """A chat completion; each of `places` is a token with the probabilities of all it might have been."""
    content = [
        {"token": t, "top_logprobs": [{"token": o, "logprob": math.log(p)} for o, p in others.items()]}
        for t, others in places
    ]
    choice = {"message": {"role": "assistant", "content": text}, "logprobs": {"content": content} if content else None}
    return 200, {}, {"choices": [choice]}


def digit_of(question: str) -> Reply:
    """A digit that hangs on every letter of the question, and so is the same whenever it is asked."""
    return completion(str(1 + zlib.crc32(question.encode()) % 6))
