"""A hub of its own on this machine, with one set: nobody/sums. What `datasets` asks of the real one, it answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

COMMIT = "a" * 40
SET = "/api/datasets/nobody/sums"
FILE = "/datasets/nobody/sums/resolve/"


def _entry(name: str, content: bytes) -> dict[str, Any]:
    return {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}


@contextmanager
def fake_hub(files: dict[str, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Its address, for HF_ENDPOINT, and the paths it is asked for."""
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if self.path.startswith(FILE):
                content = files.get(self.path.removeprefix(FILE).partition("/")[2])
                found = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"'} if content is not None else {}
                self._answer(content, "EntryNotFound", {"X-Repo-Commit": COMMIT, **found})
            elif self.path.startswith(f"{SET}/tree/"):
                self._answer(json.dumps([_entry(*item) for item in files.items()]).encode())
            elif self.path.startswith(SET):
                siblings = [{"rfilename": name} for name in files]
                self._answer(json.dumps({"id": "nobody/sums", "sha": COMMIT, "siblings": siblings}).encode())
            else:
                self._answer(None, "RepoNotFound")

        do_HEAD = do_GET  # noqa: N815

        def _answer(self, body: bytes | None, error: str = "", headers: dict[str, str] | None = None) -> None:
            self.send_response(404 if body is None else 200)
            told = {"X-Error-Code": error} if body is None else {}
            for name, value in {**(headers or {}), **told, "Content-Length": str(len(body or b""))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body or b"")

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
