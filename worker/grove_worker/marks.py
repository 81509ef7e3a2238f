"""The texts that stand for secrets while rendering, and the names that they stand for.

A secret goes in as `@@NAME@@`. For the second rendering (`twice`) it goes in as another text, so
that whatever comes out differently was made of the text and not of the secret's place.
"""

from __future__ import annotations

import re
import typing as t

#: The other texts begin with a letter that YAML quotes too, or a dump would differ by its quotes.
_MARK = re.compile(r"@@([A-Z][A-Z0-9_]*)@@|@zq(\d{4})-x+@")

_HIGHEST = 9_999

#: Names by the order in which they got another text.
_names: list[str] = []
_others: dict[str, str] = {}

#: The throw-away JWT key, which goes in as itself.
_key: tuple[str, str] | None = None

_second = False


class Name(str):
    """The name of a secret, among the pieces of a text."""


def know_key(name: str, pem: str) -> None:
    """The throw-away key stands for this secret."""
    global _key
    _key = (name, pem)


def use_others(second: bool) -> None:
    """From now on, secrets go in as their other text, or as their usual one again."""
    global _second
    _second = second


def mark(name: str) -> str:
    """The text that stands for a secret now."""
    if not _second:
        return f"@@{name}@@"
    if name not in _others:
        # Another length, and the reverse order among all, than that of the usual texts.
        _names.append(name)
        number = _HIGHEST - len(_names) + 1
        _others[name] = f"@zq{number:04d}-{'x' * (len(name) + len(_names) % 7 + 40)}@"
    return _others[name]


def holds(text: str) -> bool:
    """Whether a text holds a secret's mark."""
    if "@" in text and _MARK.search(text) is not None:
        return True
    return _key is not None and "PRIVATE KEY" in text and _key[1] in text


def pieces(text: str) -> list[str]:
    """A text as literals and the names of the secrets between them."""
    if _key is not None and "PRIVATE KEY" in text and _key[1] in text:
        found: list[str] = []
        for index, part in enumerate(text.split(_key[1])):
            if index:
                found.append(Name(_key[0]))
            found += _marked(part)
        return found
    return _marked(text)


def names(text: str) -> list[str]:
    """The names of the secrets in a text, each once."""
    return list(dict.fromkeys(piece for piece in pieces(text) if isinstance(piece, Name)))


def usual(text: str) -> str:
    """The text with every secret's usual mark."""
    if "@zq" not in text:
        return text
    return _MARK.sub(lambda match: f"@@{_name(match)}@@", text)


def others(value: t.Any) -> t.Any:
    """A value with every secret's text of now."""
    if isinstance(value, str):
        if "@@" not in value:
            return value
        return _MARK.sub(lambda match: mark(_name(match)), value)
    if isinstance(value, dict):
        return {key: others(one) for key, one in value.items()}
    if isinstance(value, list):
        return [others(one) for one in value]
    return value


def _marked(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    for match in _MARK.finditer(text):
        if match.start() > at:
            found.append(text[at : match.start()])
        found.append(Name(_name(match)))
        at = match.end()
    if at < len(text):
        found.append(text[at:])
    return found


def _name(match: re.Match[str]) -> str:
    if match.group(1) is not None:
        return match.group(1)
    place = _HIGHEST - int(match.group(2))
    return _names[place] if place < len(_names) else match.group()
