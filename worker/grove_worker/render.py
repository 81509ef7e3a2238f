"""Renders an instance: the files that Kustomize reads, and the init tasks."""

from __future__ import annotations

import os
import shutil
import typing as t
from copy import deepcopy

from tutor import env as tutor_env
from tutor import hooks

from . import references, uses
from .config import Config, NeedsSecret, guard_filters, items_with_app
from .errors import WorkerError, format_traceback, words
from .secret import plain

#: Priority of the client's literal patches: after every plugin's, so that the operator's
#: settings win. Tutor names 100 for filters that must come last.
PATCH_PRIORITY = 100


class Rendered:
    """What a rendering gave, and which parts of it reached a secret."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}
        self.reached: set[str] = set()
        #: Whether a plugin changed files once all were written.
        self.changed = False

    def add(self, path: str, content: str | bytes) -> bytes:
        """Take a text that was rendered just now."""
        if uses.was_touched():
            self.reached.add(path)
        if isinstance(content, str):
            content = plain(content).encode("utf-8")
        self.texts[path] = content
        return content


def files(config: Config, root: str, rendered: Rendered) -> dict[str, bytes]:
    """The rendered files that Kustomize needs, by their path in Tutor's `env` directory."""
    return _collected(config, root, references.collect, rendered)


def files_below(
    config: Config, root: str, directory: str, rendered: Rendered
) -> dict[str, bytes]:
    """The rendered files whose path in Tutor's `env` directory begins with `directory`."""

    def collect(paths: t.Iterable[str], read: t.Callable[[str], bytes]) -> dict[str, bytes]:
        return {path: read(path) for path in paths if path.startswith(directory)}

    return _collected(config, root, collect, rendered)


def _collected(
    config: Config,
    root: str,
    collect: t.Callable[[t.Iterable[str], t.Callable[[str], bytes]], dict[str, bytes]],
    rendered: Rendered,
) -> dict[str, bytes]:
    """What `collect` chooses of all files and reads."""
    templates = _Templates(config, rendered)
    found = collect(templates.paths, templates.read)
    # Tutor 22 tells plugins when all files are written, and they may change them.
    saved = getattr(hooks.Actions, "ENV_SAVED", None)
    if saved is None or not saved.callbacks:
        return found
    base = tutor_env.base_dir(root)
    shutil.rmtree(base, ignore_errors=True)
    for path, content in found.items():
        tutor_env.write_to(content, os.path.join(base, path))
    try:
        saved.do(base, deepcopy(config))
    except Exception:
        # A plugin may look for files that were not chosen.
        with naming("the environment"):
            tutor_env.save(root, deepcopy(config))
    written = dict(_written(base))

    def read(path: str) -> bytes:
        place = written.get(path)
        if place is None:
            return templates.read(path)
        with open(place, "rb") as file:
            return file.read()

    found = collect({*templates.paths, *written}, read)
    rendered.changed = any(rendered.texts.get(path) != found[path] for path in found)
    rendered.texts.update(found)
    return found


def some(config: Config, paths: t.Iterable[str], rendered: Rendered) -> None:
    """Render these files."""
    templates = _Templates(config, rendered)
    for path in sorted(paths):
        templates.read(path)


def tasks(config: Config, rendered: Rendered) -> list[dict[str, t.Any]]:
    """The init tasks in the order in which `tutor k8s init` runs them."""
    renderer = guarded(tutor_env.Renderer(config))
    found = []
    for index, ((service, text), app) in enumerate(
        items_with_app(hooks.Filters.CLI_DO_INIT_TASKS)
    ):
        where = f"init task of {app or service}"
        with naming(where):
            content = plain(renderer.render_str(text)).strip()
        rendered.add(f"{where}, {index + 1}", content)
        found.append({"service": service, "app": app, "text": content})
    return found


class _Templates:
    """Tutor's template targets, rendered one by one when they are asked for."""

    def __init__(self, config: Config, rendered: Rendered) -> None:
        self._config = config
        self._rendered = rendered
        #: By path: the target that it is of, and its template.
        self._sources: dict[str, tuple[int, str]] = {}
        self._renderers: dict[int, tutor_env.Renderer] = {}
        targets = list(hooks.Filters.ENV_TEMPLATE_TARGETS.iterate())
        for target, (source, destination) in enumerate(targets):
            lister = self._renderer(0)
            for name in lister.iter_templates_in(source.replace(os.sep, "/")):
                path = f"{destination}/{name}" if destination else name
                self._sources[path] = (target, name)

    @property
    def paths(self) -> t.Iterable[str]:
        return self._sources.keys()

    def read(self, path: str) -> bytes:
        target, name = self._sources[path]
        with naming(path):
            uses.was_touched()
            return self._rendered.add(path, self._renderer(target).render_template(name))

    def _renderer(self, target: int) -> tutor_env.Renderer:
        """Tutor uses a renderer, and so a copy of the configuration, for each target."""
        if target not in self._renderers:
            self._renderers[target] = guarded(tutor_env.Renderer(self._config))
        return self._renderers[target]


def _written(base: str) -> t.Iterator[tuple[str, str]]:
    """The files below `base`: (path from there, path)."""
    for directory, _, names in os.walk(base):
        for name in names:
            place = os.path.join(directory, name)
            yield os.path.relpath(place, base).replace(os.sep, "/"), place


def guarded(renderer: tutor_env.Renderer) -> tutor_env.Renderer:
    guard_filters(renderer.environment)
    return renderer


class naming:
    """Turns what goes wrong while `where` is rendered into an error that names it."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        self._uses = uses.rendering(self._where)
        self._uses.__enter__()

    def __exit__(self, _type: t.Any, error: BaseException | None, _tb: t.Any) -> None:
        self._uses.__exit__(None, None, None)
        if error is None or isinstance(error, (WorkerError, MemoryError)):
            return
        if isinstance(error, Exception):
            kind = "missing-secret" if isinstance(error, NeedsSecret) else "template"
            text = str(error) if isinstance(error, NeedsSecret) else words(error)
            raise WorkerError(
                kind,
                f"{self._where}: {text}",
                file=self._where,
                traceback=format_traceback(error),
            ) from error
