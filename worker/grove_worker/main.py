"""Sets the worker up: its descriptors, its directories, Tutor, the first frames."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import typing as t

from . import PROTOCOL, frames
from .confine import Confinement
from .limits import Limits


def main(arguments: list[str]) -> int:
    """Serve the client at standard input and output. The only argument is the directory for
    temporary files, which the worker empties when it ends."""
    requests, answers = _take_descriptors()
    (temporary,) = arguments
    directory = tempfile.mkdtemp(prefix="worker-", dir=temporary)
    try:
        return _serve(requests, answers, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _take_descriptors() -> tuple[int, int]:
    """Move the protocol away from standard input and output, so that code which reads or prints
    cannot disturb it: it finds nothing to read, and prints to standard error."""
    requests = os.dup(0)
    answers = os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return requests, answers


def _serve(requests: int, answers: int, directory: str) -> int:
    start, body = _first_frame(requests)
    try:
        if start.get("protocol") != PROTOCOL:
            raise ValueError(
                f"the client speaks protocol {start.get('protocol')}, the worker {PROTOCOL}"
            )
        parent, hello = _prepare(start, body, requests, answers, directory)
    except Exception as error:
        from .errors import WorkerError, format_traceback

        problem = WorkerError(
            "protocol" if isinstance(error, ValueError) else "crash",
            f"{type(error).__name__}: {error}",
            traceback=format_traceback(error),
        )
        _write(answers, frames.encode({"protocol": PROTOCOL, **problem.head()}))
        return 1
    _write(answers, hello)
    parent.run()
    return 0


def _prepare(
    start: dict[str, t.Any], body: bytes, requests: int, answers: int, directory: str
) -> tuple[t.Any, bytes]:
    from .preload import clean_environment, preload

    home = os.path.join(directory, "home")
    os.mkdir(home, 0o700)
    clean_environment(home)
    version = preload()

    from tutor import plugins

    from . import warm
    from .parent import Parent, Settings
    from .throwaway import Throwaway

    key = start.get("key")
    throwaway = Throwaway(key) if key else Throwaway.generate()
    settings = Settings(
        parallel=max(1, int(start.get("parallel") or os.cpu_count() or 1)),
        limits=Limits.of(start.get("limits", {})),
        warm_after=max(1, int(start.get("warm_after", 3))),
        confinement=Confinement.of(start.get("confinement")),
    )
    parent = Parent(
        requests,
        answers,
        directory,
        settings,
        throwaway,
        frozenset(plugins.iter_installed()),
        warm.restore(body) if body else [],
    )
    hello = {
        "protocol": PROTOCOL,
        "tutor": version,
        "python": platform.python_version(),
        "key": throwaway.pem,
    }
    return parent, frames.encode(hello)


def _first_frame(requests: int) -> tuple[dict[str, t.Any], bytes]:
    """The client's start frame. It sends nothing else before it has read the greeting."""
    data = b""
    while len(data) < frames.PREFIX or len(data) < frames.size(data):
        chunk = os.read(requests, 1 << 16)
        if not chunk:
            sys.exit(0)
        data += chunk
    return frames.decode(data)


def _write(answers: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(answers, view) :]
