"""Answers one request in a forked process that ends afterwards."""

from __future__ import annotations

import dataclasses
import errno
import os
import typing as t

from . import frames
from .errors import WorkerError, format_traceback, words
from .throwaway import NAME as JWT_KEY
from .throwaway import Throwaway


#: The fields of a request's head and their types; each may be left out.
_FIELDS: dict[str, type] = {
    "config": dict,
    "plugins": list,
    "patches": dict,
    "secrets": list,
    "names": list,
    "known": dict,
    "job": list,
    "image": str,
}


@dataclasses.dataclass(frozen=True)
class Request:
    """One instance as the client describes it."""

    op: str
    config: dict[str, t.Any]
    plugins: list[str]
    plugin_files: dict[str, bytes]
    patches: dict[str, str]
    secrets: frozenset[str]
    names: list[str]
    known: dict[str, str]
    job: list[str]
    image: str

    @classmethod
    def parse(cls, head: dict[str, t.Any], body: bytes) -> Request:
        """Read a request's frame."""
        plugin_files = {}
        at = 0
        for name, length in head.get("plugin_files", []):
            plugin_files[name] = body[at : at + length]
            at += length
        if at != len(body):
            raise WorkerError("protocol", "the plugin files do not fill the body")
        for field, kind in _FIELDS.items():
            if not isinstance(head.get(field, kind()), kind):
                raise WorkerError("protocol", f"{field} is no {kind.__name__}")
        return cls(
            op=head["op"],
            config=head.get("config", {}),
            plugins=head.get("plugins", []),
            plugin_files=plugin_files,
            patches=head.get("patches", {}),
            secrets=frozenset(head.get("secrets", [])),
            names=head.get("names", []),
            known=head.get("known", {}),
            job=head.get("job", []),
            image=head.get("image", ""),
        )


@dataclasses.dataclass(frozen=True)
class Place:
    """A child's private directories."""

    directory: str

    @property
    def root(self) -> str:
        """Tutor's project root."""
        return os.path.join(self.directory, "root")

    @property
    def plugins(self) -> str:
        """Tutor's plugins root."""
        return os.path.join(self.directory, "plugins")

    @property
    def home(self) -> str:
        """The home directory, and the place for temporary files."""
        return os.path.join(self.directory, "home")

    def create(self) -> None:
        """Make the directories."""
        for path in (self.root, self.plugins, self.home):
            os.mkdir(path, 0o700)


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
    from tutor.__about__ import __version__

    from . import render

    config, loaded = load(request, place, throwaway)
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


def load(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], list[str]]:
    """Load the instance's plugins and configuration: (configuration, loaded plugins)."""
    from tutor import hooks

    from . import jinja, render
    from .config import Configuration

    for name, text in sorted(request.patches.items()):
        hooks.Filters.ENV_PATCHES.add_item(
            (name, jinja.literal(text)), priority=render.PATCH_PRIORITY
        )
    configuration = Configuration()
    configuration.install()
    config = {**request.config, JWT_KEY: throwaway.pem}
    loaded = open_project(request, place, config)
    return configuration.load(place.root), loaded


def open_project(request: Request, place: Place, config: dict[str, t.Any]) -> list[str]:
    """Write the project that Tutor and the plugins will find, and load the plugins."""
    from tutor import hooks, serialize

    from . import plugins

    plugins.write_files(place.plugins, request.plugin_files)
    # Plugins may read the file; nothing writes it again.
    with open(os.path.join(place.root, "config.yml"), "w", encoding="utf-8") as file:
        serialize.dump({**config, "PLUGINS": request.plugins}, file)
    if request.plugin_files:
        plugins.discover_files(place.plugins, request.plugin_files)
    hooks.Actions.PROJECT_ROOT_READY.do(place.root)
    return plugins.check_loaded(request.plugins)


def _secrets(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    from . import declared

    return declared.describe(request, place, throwaway), b""


def _generate(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    from . import declared

    return declared.generate(request, place, throwaway), b""


def _job(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    from . import jobs

    config, _ = load(request, place, throwaway)
    if not request.job:
        return {"jobs": jobs.known()}, b""
    made = jobs.scripts(config, place.root, request.job)
    for step in made["steps"]:
        step["text"] = throwaway.replace(step["text"].encode(), "the job").decode()
    return made, b""


def _image(
    request: Request, place: Place, throwaway: Throwaway
) -> tuple[dict[str, t.Any], bytes]:
    from . import images

    config, _ = load(request, place, throwaway)
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
    from . import warm

    return {}, warm.compiled(request, place, throwaway)


def _blame(error: WorkerError, place: Place) -> None:
    """Name the plugin that an error comes from, and hide the private directory's name."""
    from . import plugins

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
