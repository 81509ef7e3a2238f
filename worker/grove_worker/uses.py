"""What templates and plugins did with secrets beside putting them in, and where.

A use is noted and goes on, so that all of them are told at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import typing as t

from tutor import hooks

from . import derivations, marks
from .errors import WorkerError

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep

#: How many frames are looked at, and how many uses are told.
_MAX_FRAMES = 200
_MAX_TOLD = 20

#: What is being rendered, where a template has no name of its own.
_rendering: list[str] = []

#: Whether a secret was reached since somebody asked.
_touched = False


@dataclasses.dataclass(frozen=True)
class Place:
    """A line of a file or of a text."""

    #: The file of Python code or the name of a template; none for a text.
    file: str | None
    #: The text of a template without a name.
    source: str | None
    line: int
    #: What was being rendered.
    rendering: str | None
    #: Whether it is a template.
    template: bool


@dataclasses.dataclass(frozen=True)
class Use:
    """One use of secrets."""

    names: tuple[str, ...]
    #: What was done, with the secrets at `{}`.
    what: str
    #: Innermost first.
    places: tuple[Place, ...]
    #: Whether it is no use of a secret, but something drawn at random.
    chance: bool = False


_noted: dict[Use, None] = {}


def note(text: str, what: str) -> None:
    """Note that a text with secrets was used for something else than to be put in."""
    touch()
    names = tuple(marks.names(str.__str__(text)))
    _noted[Use(names, what, tuple(_places()))] = None


def note_chance(name: str) -> None:
    """Note that something is drawn at random."""
    what = f"`{name}` gives something else at each rendering: write the value that you want"
    _noted[Use((), what, tuple(_places()), chance=True)] = None


def note_at(names: t.Iterable[str], what: str, place: Place) -> None:
    """Note a use at a place that is known."""
    _noted[Use(tuple(names), what, (place,))] = None


def count() -> int:
    """How many uses were noted."""
    return len(_noted)


def forget(kept: int) -> None:
    """Forget all but the first uses."""
    for use in list(_noted)[kept:]:
        del _noted[use]


def touch() -> None:
    """Note that a secret was reached."""
    global _touched
    _touched = True


def was_touched() -> bool:
    """Whether a secret was reached since the last time that this was asked."""
    global _touched
    touched, _touched = _touched, False
    return touched


@contextlib.contextmanager
def rendering(label: str) -> t.Iterator[None]:
    """Name what is rendered in the body."""
    _rendering.append(label)
    try:
        yield
    finally:
        _rendering.pop()


def now_rendering() -> str | None:
    """What is being rendered."""
    return _rendering[-1] if _rendering else None


def here() -> Place | None:
    """The innermost line of a template that is being rendered."""
    return next((place for place in _places() if place.template), None)


def error(find_plugin: t.Callable[[str], str | None]) -> WorkerError | None:
    """The error that tells of every use; none where there was none. `find_plugin` says whose
    a file is."""
    if not _noted:
        return None
    told = [_tell(use, find_plugin) for use in _noted]
    seen: dict[tuple[str, str | None, frozenset[str]], Told] = {}
    for one in told:
        # What is done next at the same place follows from the first.
        seen.setdefault((one.where, one.plugin, one.secrets), one)
    plugins = {one.plugin for one in seen.values()}
    lines = [one.words(plugins) for one in seen.values()]
    if len(lines) > _MAX_TOLD:
        lines[_MAX_TOLD:] = [f"and {len(lines) - _MAX_TOLD} more"]
    names = set().union(*(one.secrets for one in told))
    return WorkerError(
        "template" if all(use.chance for use in _noted) else "secret-use",
        "\n".join(lines),
        plugin=plugins.pop() if len(plugins) == 1 else None,
        keys=names,
        file=next((one.file for one in told if one.file), None),
    )


@dataclasses.dataclass(frozen=True)
class Told:
    """A use in words."""

    #: The file, patch or task, and the line.
    where: str
    plugin: str | None
    file: str | None
    secrets: frozenset[str]
    what: str

    def words(self, plugins: set[str | None]) -> str:
        """A sentence; the plugin is named where it is not the only one."""
        of = f" of plugin {self.plugin}" if self.plugin and len(plugins) > 1 else ""
        return f"{self.where}{of}: {self.what}"


def _tell(use: Use, find_plugin: t.Callable[[str], str | None]) -> Told:
    secrets = dict.fromkeys(derivations.secret_of(name) for name in use.names)
    what = use.what.replace("{}", " and ".join(f"`{name}`" for name in secrets) or "a secret")

    def told(label: str, line: int, plugin: str | None) -> Told:
        return Told(f"{label} line {line}", plugin, label, frozenset(secrets), what)

    for place in use.places:
        owner = find_plugin(place.file) if place.file else None
        if place.file is None:
            label, owner = _origin(place)
            return told(label, place.line, owner)
        if place.template:
            return told(_template_name(place.file), place.line, owner)
        if owner is not None:
            return told(os.path.basename(place.file), place.line, owner)
    if use.places and use.places[0].file:
        # Tutor's own code, or that of a library.
        return told(os.path.basename(use.places[0].file), use.places[0].line, None)
    return Told("a template", None, None, frozenset(secrets), what)


def _template_name(path: str) -> str:
    """The path of a template below its root, which is what a plugin's author calls it."""
    return path.rpartition("/templates/")[2]


def _origin(place: Place) -> tuple[str, str | None]:
    """What a template without a file is: (in words, the plugin that has it)."""
    from .config import items_with_app

    source = place.source
    if not source:
        return place.rendering or "a text", None
    for (name, text), app in items_with_app(hooks.Filters.ENV_PATCHES):
        if text == source:
            return f"patch {name}", app
    for (service, text), app in items_with_app(hooks.Filters.CLI_DO_INIT_TASKS):
        if text == source:
            return f"init task for {service}", app
    for filtre in (
        hooks.Filters.CONFIG_UNIQUE,
        hooks.Filters.CONFIG_OVERRIDES,
        hooks.Filters.CONFIG_DEFAULTS,
    ):
        for (name, value), app in items_with_app(filtre):
            if value == source:
                return f"config {name}", app
    return place.rendering or "a text", None


def _places() -> t.Iterator[Place]:
    """Where Python is now, innermost first: lines of templates and of code that is not ours."""
    frame: t.Any = sys._getframe(1)
    for _ in range(_MAX_FRAMES):
        if frame is None:
            return
        path = frame.f_code.co_filename
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            yield Place(
                file=template.filename if template.name else None,
                source=None if template.name else getattr(template, "grove_source", ""),
                line=template.get_corresponding_lineno(frame.f_lineno),
                rendering=now_rendering(),
                template=True,
            )
        elif not path.startswith(_HERE) and not path.startswith("<"):
            yield Place(path, None, frame.f_lineno, now_rendering(), template=False)
        frame = frame.f_back
