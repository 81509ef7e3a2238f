"""Answers one request in a forked process that ends afterwards."""

from __future__ import annotations

import errno
import os
import typing as t

from tutor.__about__ import __version__

from . import declared, frames, images, jobs, plugins, project, render, twice, uses, warm
from .config import Config
from .errors import WorkerError, format_traceback, words
from .request import Place, Request
from .throwaway import Throwaway


def answer(request: Request, place: Place, throwaway: Throwaway) -> bytes:
    """The answer to a request as a frame; errors are answers too."""
    try:
        head, body = _OPERATIONS[request.op](request, place, throwaway)
        used = _use(request, place)
        return frames.encode(used.head()) if used else frames.encode(head, body)
    except MemoryError:
        return frames.encode(WorkerError("limit", "used more memory than it may").head())
    except WorkerError as error:
        _blame(error, place)
        if error.kind != "missing-secret":
            # What failed may come from it.
            error = _use(request, place) or error
        return frames.encode(error.head())
    except (Exception, SystemExit) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        kind = "machine" if full else "crash"
        unexpected = WorkerError(kind, words(error), traceback=format_traceback(error))
        unexpected.__cause__ = error
        _blame(unexpected, place)
        return frames.encode((_use(request, place) or unexpected).head())


def _render(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    loaded = project.load(request, place, throwaway)
    rendered = render.Rendered()
    found = render.files(loaded.config, place.root, rendered)
    tasks = render.tasks(loaded.config, rendered)

    def again(config: Config, parts: set[str] | None) -> render.Rendered:
        other = render.Rendered()
        if parts is None:
            render.files(config, place.root, other)
        else:
            render.some(config, parts.intersection(found), other)
        if parts is None or not parts <= found.keys():
            render.tasks(config, other)
        return other

    twice.check(loaded, rendered, again)
    files = {
        path: throwaway.replace(content, path) for path, content in sorted(found.items())
    }
    for task in tasks:
        text = throwaway.replace(task["text"].encode(), f"init task of {task['app']}")
        task["text"] = text.decode()
    head = {
        "files": [[path, len(content)] for path, content in files.items()],
        "tasks": tasks,
        "plugins": loaded.plugins,
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
    loaded = project.load(request, place, throwaway)
    if not request.job:
        return {"jobs": jobs.known()}, b""

    def scripts(config: Config) -> tuple[dict[str, t.Any], render.Rendered]:
        made, rendered = jobs.scripts(config, place.root, request.job), render.Rendered()
        for index, step in enumerate(made["steps"]):
            rendered.add(f"step {index + 1} of the job {request.job[0]}", step["text"])
        return made, rendered

    made, rendered = scripts(loaded.config)
    rendered.reached.update(rendered.texts)
    twice.check(loaded, rendered, lambda config, _parts: scripts(config)[1])
    for step in made["steps"]:
        step["text"] = throwaway.replace(step["text"].encode(), "the job").decode()
    return made, b""


def _image(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    loaded = project.load(request, place, throwaway)
    if not request.image:
        return {"images": images.known(loaded.config)}, b""
    rendered = render.Rendered()
    found = images.context(loaded.config, place.root, request.image, rendered)

    def again(config: Config, parts: set[str] | None) -> render.Rendered:
        other = render.Rendered()
        if parts is None:
            images.context(config, place.root, request.image, other)
        else:
            render.some(config, parts, other)
        return other

    twice.check(loaded, rendered, again)
    files = {
        path: throwaway.replace(content, path) for path, content in sorted(found.items())
    }
    head = {"files": [[path, len(content)] for path, content in files.items()]}
    return head, b"".join(files.values())


def _warm(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    return {}, warm.compiled(request, place, throwaway)


def _use(request: Request, place: Place) -> WorkerError | None:
    """The error that tells what was done to secrets, in answers that are made with their marks."""
    if request.op not in ("render", "job", "image"):
        return None
    return uses.error(lambda path: plugins.owner(path, place.plugins))


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
