"""Answers one request in a forked process that ends afterwards."""

from __future__ import annotations

import errno
import os
import typing as t

from tutor.__about__ import __version__

from . import declared, frames, images, jobs, plugins, project, render, warm
from .errors import WorkerError, format_traceback, words
from .request import Place, Request
from .throwaway import Throwaway


def answer(request: Request, place: Place, throwaway: Throwaway) -> bytes:
    """The answer to a request as a frame; errors are answers too."""
    try:
        head, body = _OPERATIONS[request.op](request, place, throwaway)
        return frames.encode(head, body)
    except MemoryError:
        return frames.encode(WorkerError("limit", "used more memory than it may").head())
    except WorkerError as error:
        _blame(error, place)
        return frames.encode(error.head())
    except (Exception, SystemExit) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        kind = "machine" if full else "crash"
        unexpected = WorkerError(kind, words(error), traceback=format_traceback(error))
        unexpected.__cause__ = error
        _blame(unexpected, place)
        return frames.encode(unexpected.head())


def _render(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    config, loaded = project.load(request, place, throwaway)
    files = {
        path: throwaway.replace(content, path)
        for path, content in sorted(render.files(config, place.root).items())
    }
    tasks = render.tasks(config)
    for task in tasks:
        text = throwaway.replace(task["text"].encode(), f"init task of {task['app']}")
        task["text"] = text.decode()
    head = {
        "files": [[path, len(content)] for path, content in files.items()],
        "tasks": tasks,
        "plugins": loaded,
        "tutor_version": __version__,
    }
    return head, b"".join(files.values())


def _secrets(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    return declared.describe(request, place, throwaway), b""


def _generate(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    return declared.generate(request, place, throwaway), b""


def _job(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    config, _ = project.load(request, place, throwaway)
    if not request.job:
        return {"jobs": jobs.known()}, b""
    made = jobs.scripts(config, place.root, request.job)
    for step in made["steps"]:
        step["text"] = throwaway.replace(step["text"].encode(), "the job").decode()
    return made, b""


def _image(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    config, _ = project.load(request, place, throwaway)
    if not request.image:
        return {"images": images.known(config)}, b""
    files = {
        path: throwaway.replace(content, path)
        for path, content in sorted(images.context(config, place.root, request.image).items())
    }
    head = {"files": [[path, len(content)] for path, content in files.items()]}
    return head, b"".join(files.values())


def _warm(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    return {}, warm.compiled(request, place, throwaway)


def _blame(error: WorkerError, place: Place) -> None:
    """Name the plugin that an error comes from, and hide the private directory's name."""
    if error.plugin is None and error.__cause__ is not None:
        error.plugin = plugins.blame(error.__cause__, place.plugins)
        if error.plugin is not None and error.kind == "crash":
            error.kind = "plugin"
    for path in (place.plugins, place.root, place.home, place.directory):
        error.message = error.message.replace(path + os.sep, "")
        if error.traceback:
            error.traceback = error.traceback.replace(path + os.sep, "")


_OPERATIONS: dict[
    str,
    t.Callable[[Request, Place, Throwaway], tuple[dict[str, t.Any], bytes]],
] = {
    "render": _render,
    "secrets": _secrets,
    "generate": _generate,
    "job": _job,
    "image": _image,
    "warm": _warm,
}

#: What a client may ask for.
OPERATIONS = frozenset(_OPERATIONS)
