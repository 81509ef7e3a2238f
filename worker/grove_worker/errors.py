"""What can go wrong with a request, in the form in which the client reads it."""

from __future__ import annotations

import traceback as tb
import typing as t

#: Longest message, traceback and log tail that an answer carries, in characters.
MAX_MESSAGE = 4_000
MAX_TRACEBACK = 8_000


class WorkerError(Exception):
    """One failed request.

    `kind` is one of `plugin`, `template`, `config`, `missing-secret`, `secret-use`, `limit`,
    `crash`, `machine`, `protocol`, `usage`.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        plugin: str | None = None,
        key: str | None = None,
        keys: t.Iterable[str] = (),
        file: str | None = None,
        traceback: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.plugin = plugin
        self.key = key
        self.keys = sorted(keys)
        self.file = file
        self.traceback = traceback

    def head(self) -> dict[str, t.Any]:
        """The error as a frame's head, without what does not apply."""
        fields: dict[str, t.Any] = {
            "kind": self.kind,
            "message": _bounded(self.message, MAX_MESSAGE),
            "plugin": self.plugin,
            "key": self.key,
            "keys": self.keys or None,
            "file": self.file,
            "traceback": self.traceback and tail(self.traceback, MAX_TRACEBACK),
        }
        return {"error": {k: v for k, v in fields.items() if v is not None}}


def words(error: BaseException) -> str:
    """What an exception says: Tutor's errors speak for themselves, others need their type."""
    from tutor.exceptions import TutorError

    if isinstance(error, TutorError) and error.args:
        return str(error.args[0])
    text = str(error)
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def format_traceback(error: BaseException) -> str:
    """The traceback of an exception, its end where it is long."""
    return tail("".join(tb.format_exception(error)), MAX_TRACEBACK)


def tail(text: str, limit: int) -> str:
    """The last `limit` characters of a text; the end of a traceback says most."""
    return text if len(text) <= limit else "…" + text[-limit:]


def _bounded(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
