"""A client of the worker for tests, in the terms of the protocol."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import typing as t

WORKER = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(WORKER))

from grove_worker import PROTOCOL, frames  # noqa: E402


class Client:
    """Starts a worker under this interpreter and talks to it."""

    def __init__(self, body: bytes = b"", **start: t.Any) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            [sys.executable, "-s", "-B", str(WORKER), self._directory.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONHASHSEED": "0", "TUTOR_LMS_HOST": "from.the.environment"},
        )
        self.events: list[tuple[dict[str, t.Any], bytes]] = []
        self._next = 0
        self.directory = self._directory.name
        self._write({"protocol": PROTOCOL, **start}, body)
        self.hello, _ = frames.decode(self._frame())

    def send(self, op: str, **fields: t.Any) -> int:
        """Send a request; return its id."""
        self._next += 1
        plugin_files = fields.pop("plugin_files", {})
        lengths = [[name, len(content)] for name, content in plugin_files.items()]
        head = {"id": self._next, "op": op, "plugin_files": lengths, **fields}
        self._write(head, b"".join(plugin_files.values()))
        return self._next

    def receive(self) -> tuple[int, dict[str, t.Any], bytes]:
        """The next answer: (id, head, body)."""
        while True:
            outer, inner = frames.decode(self._frame())
            if "event" in outer:
                self.events.append((outer, inner))
                continue
            head, body = frames.decode(inner)
            return outer["id"], head, body

    def ask(self, op: str, **fields: t.Any) -> dict[str, t.Any]:
        """Send a request and wait for its answer, with `files` by path."""
        self.send(op, **fields)
        _, head, body = self.receive()
        return with_files(head, body)

    def close(self) -> None:
        """End the worker."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(20)
        self._directory.cleanup()

    def leftovers(self) -> list[str]:
        """What lies in the worker's temporary directory."""
        return os.listdir(self._directory.name)

    def _write(self, head: dict[str, t.Any], body: bytes) -> None:
        self.process.stdin.write(frames.encode(head, body))
        self.process.stdin.flush()

    def _frame(self) -> bytes:
        prefix = self._read(frames.PREFIX)
        return prefix + self._read(frames.size(prefix) - frames.PREFIX)

    def _read(self, length: int) -> bytes:
        data = self.process.stdout.read(length)
        if len(data) != length:
            raise EOFError("the worker closed the protocol")
        return data


def with_files(head: dict[str, t.Any], body: bytes) -> dict[str, t.Any]:
    """An answer's head with its files' contents put in."""
    if "files" not in head:
        return head
    files, at = {}, 0
    for path, length in head["files"]:
        files[path] = body[at : at + length]
        at += length
    return {**head, "files": files}
