"""A second rendering of what reached a secret, with other texts for the secrets.

What comes out may differ in these texts alone. Anything else was made of a text that nobody will
see: a length, an order, a part, a hash, also where a function in C hid it from the secret's type.
"""

from __future__ import annotations

import re
import typing as t

from . import marks, trace, uses
from .config import Config
from .errors import WorkerError
from .project import Project
from .render import Rendered
from .secret import plain

#: Renders some parts (all where it is none) with a configuration.
Again = t.Callable[[Config, t.Optional[t.Set[str]]], Rendered]

_MADE_OF = "makes something of {} that Grove cannot compute"


def check(project: Project, first: Rendered, again: Again) -> None:
    """Note where the second rendering differs."""
    if not project.configuration.reached and not first.reached:
        return
    marks.use_others(True)
    try:
        config = project.configuration.again(project.config)
        for key in sorted(project.configuration.reached):
            if not _equal(config[key], project.config[key]):
                source = project.configuration.source(key)
                names = _names(project.config[key]) or _names_read(source, project.config)
                place = uses.Place(None, source, 1, f"config {key}", template=True)
                uses.note_at(names, _MADE_OF, place)
        parts = None if first.changed else first.reached
        others = again(config, parts).texts
    finally:
        marks.use_others(False)
    for path, content in others.items():
        wanted = first.texts.get(path, b"")
        if _usual(content) != wanted:
            _explain(project, config, path, first, again)


def _explain(
    project: Project, config: Config, path: str, first: Rendered, again: Again
) -> None:
    """Say in which line of which template two renderings part."""
    wanted = first.texts.get(path, b"")
    parts = None if first.changed else {path}
    with trace.lines() as ours:
        once_more = again(project.config, parts).texts.get(path, b"")
    if once_more != wanted:
        raise WorkerError("template", f"{path} renders differently each time", file=path)
    marks.use_others(True)
    try:
        with trace.lines() as theirs:
            again(config, parts)
    finally:
        marks.use_others(False)
    names = marks.names(wanted.decode("utf-8", "replace"))
    if not names and first.changed:
        # A plugin left nothing of them.
        template = again(project.config, {path}).texts.get(path, b"")
        names = marks.names(template.decode("utf-8", "replace"))
    for one, other in zip(ours, theirs):
        if one.text != other.text or one.place != other.place:
            reached = marks.names(one.text) or one.reached or other.reached or names
            _note(path, reached, one.place or other.place)
            return
    _note(path, names, None)


def _note(label: str, names: t.Iterable[str], place: uses.Place | None) -> None:
    place = place or uses.Place(None, None, 1, label, template=True)
    uses.note_at(names, _MADE_OF, place)


def _usual(content: bytes) -> bytes:
    if b"@zq" not in content:
        return content
    return marks.usual(content.decode("utf-8", "surrogateescape")).encode(
        "utf-8", "surrogateescape"
    )


def _equal(other: t.Any, first: t.Any) -> bool:
    """Whether two values differ in secrets' texts alone."""
    if isinstance(other, str) and isinstance(first, str):
        return marks.usual(plain(other)) == plain(first)
    if isinstance(other, dict) and isinstance(first, dict):
        return list(other) == list(first) and all(_equal(other[key], first[key]) for key in first)
    if isinstance(other, list) and isinstance(first, list):
        return len(other) == len(first) and all(map(_equal, other, first))
    return bool(type(other) is type(first) and other == first)


def _names_read(source: str, config: Config) -> list[str]:
    """The secrets of the keys that a template names."""
    words = [word for word in re.findall(r"\w+", source) if word in config]
    return list(dict.fromkeys(name for word in words for name in _names(config[word])))


def _names(value: t.Any) -> list[str]:
    if isinstance(value, str):
        return marks.names(plain(value))
    if isinstance(value, dict):
        return [name for one in value.values() for name in _names(one)]
    if isinstance(value, list):
        return [name for one in value for name in _names(one)]
    return []
