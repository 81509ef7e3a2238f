"""Which line of a template made which text, for telling where two renderings part."""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t

from . import marks, uses


@dataclasses.dataclass(frozen=True)
class Output:
    """One text that a template put out."""

    place: uses.Place | None
    #: With the usual marks.
    text: str
    #: The secrets that were reached for it, or for a decision before it.
    reached: list[str]


_outputs: list[Output] | None = None
_reached: list[str] = []


def output(value: t.Any) -> t.Any:
    """Every value that a template puts out goes through here."""
    if _outputs is None:
        return value
    text = str(value)
    _outputs.append(Output(uses.here(), marks.usual("".join((text,))), list(_reached)))
    _reached.clear()
    return text


def reach(value: t.Any) -> None:
    """A template reaches a value that holds secrets."""
    if _outputs is None:
        return
    if isinstance(value, str):
        _reached.extend(marks.names("".join((value,))))
    else:
        for one in value.values() if isinstance(value, dict) else value:
            if isinstance(one, (str, dict, list)):
                reach(one)


@contextlib.contextmanager
def lines() -> t.Iterator[list[Output]]:
    """What is put out in the body, with its line, in order."""
    global _outputs
    before, _outputs = _outputs, []
    _reached.clear()
    try:
        yield _outputs
    finally:
        _outputs = before
