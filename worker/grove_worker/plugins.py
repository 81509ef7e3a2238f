"""Loads an instance's plugins, and insists on each."""

from __future__ import annotations

import collections
import os
import re
import sys
import typing as t

import importlib_metadata
from tutor import hooks
from tutor import plugins as tutor_plugins
from tutor.plugins import base, v0, v1

from . import loading
from .errors import WorkerError, format_traceback, words

#: Tutor takes files with these ends as plugins, and no others.
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.(py|yml)")


def write_files(directory: str, files: t.Mapping[str, bytes]) -> None:
    """Write an instance's own plugins into its private plugins directory."""
    for name, content in files.items():
        if not _FILE_NAME.fullmatch(name):
            raise WorkerError(
                "plugin",
                f"{name} is not a plugin file: Tutor loads files that end in .py or .yml",
                plugin=name,
            )
        with open(os.path.join(directory, name), "xb") as file:
            file.write(content)


def discover_files(directory: str, names: t.Iterable[str]) -> None:
    """Let Tutor find the plugin files in `directory`."""
    for module in (base, v0, v1):
        module.PLUGINS_ROOT = directory
    known = set(tutor_plugins.iter_installed())
    try:
        with hooks.Contexts.PLUGINS.enter(), hooks.Contexts.PLUGINS_V0_YAML.enter():
            v0.DictPlugin.discover_all()
        v1._discover_module_plugins()
    except Exception as error:
        text = words(error)
        name = next((name for name in names if name in text), None)
        raise WorkerError(
            "plugin", text, plugin=name, traceback=format_traceback(error)
        ) from error
    counts = collections.Counter(tutor_plugins.iter_installed())
    for name, count in counts.items():
        if count > 1 and _is_file(name, directory):
            other = "an installed plugin" if name in known else "another plugin file"
            raise WorkerError(
                "plugin",
                f"plugin '{name}' is a plugin file and {other}: one of them must go",
                plugin=name,
            )


def _is_file(name: str, directory: str) -> bool:
    """Whether a plugin of this name comes from a file in `directory`."""
    for plugin, info in tutor_plugins.iter_info():
        if plugin == name and info and info.startswith(directory + os.sep):
            return True
    with hooks.Contexts.PLUGINS_V0_YAML.enter():
        context = hooks.Contexts.PLUGINS_V0_YAML.name
    return name in hooks.Filters.PLUGINS_INSTALLED.iterate_from_context(context)


def load_all(names: t.Iterable[str]) -> None:
    """What `tutor.plugins.load_all` does, but that a plugin which fails fails the request."""
    for name in sorted(set(names)):
        try:
            with loading.plugin(name):
                tutor_plugins.load(name)
        except (WorkerError, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            raise WorkerError(
                "plugin",
                words(error),
                plugin=name,
                traceback=format_traceback(error),
            ) from error
    hooks.Actions.PLUGINS_LOADED.do()


def check_loaded(names: t.Iterable[str]) -> list[str]:
    """The plugins that are loaded; an error unless they are exactly those asked for."""
    loaded = list(tutor_plugins.iter_loaded())
    for name in names:
        if name not in loaded:
            raise WorkerError("plugin", f"plugin '{name}' was not loaded", plugin=name)
    for name in loaded:
        if name not in names:
            raise WorkerError(
                "plugin", f"plugin '{name}' was loaded without being asked for", plugin=name
            )
    return loaded


def blame(error: BaseException, files: str) -> str | None:
    """The plugin whose code or template an exception passed through last, if any."""
    places = _places(files)
    blamed = None
    frame = error.__traceback__
    while frame is not None:
        path = frame.tb_frame.f_code.co_filename
        for place, name in places.items():
            if path == place or path.startswith(place + os.sep):
                blamed = name
        frame = frame.tb_next
    return blamed


def owner(path: str, files: str) -> str | None:
    """The plugin that a file of Python or a template belongs to, if any."""
    for place, name in _places(files).items():
        if path == place or path.startswith(place + os.sep):
            return name
    return None


def _places(files: str) -> dict[str, str]:
    """Where the code of loaded plugins lies: directory or file → plugin."""
    places = {}
    for name, info in tutor_plugins.iter_info():
        if info and info.startswith(files + os.sep):
            places[info] = name
    for group in ("tutor.plugin.v0", "tutor.plugin.v1"):
        for entry in importlib_metadata.entry_points(group=group):
            module = sys.modules.get(entry.module.partition(".")[0])
            path = getattr(module, "__file__", None)
            if path:
                package = hasattr(module, "__path__")
                places[os.path.dirname(path) if package else path] = entry.name
    return places
