"""Which plugin a child is loading, for the parent to read once the child is dead.

A plugin that ends its process or does not end at all leaves nobody there to name it.
"""

from __future__ import annotations

import contextlib
import mmap
import typing as t

_SIZE = 256


class Note:
    """A piece of memory that a child and its parent share. What a child leaves there is no more
    to be trusted than anything else it says."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SIZE)

    def write(self, name: str) -> None:
        """Replace what stands there."""
        self._memory[:] = name.encode("utf-8", "replace")[:_SIZE].ljust(_SIZE, b"\0")

    def read(self) -> str | None:
        """What stands there, if anything does."""
        return self._memory[:].rstrip(b"\0").decode("utf-8", "replace") or None

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


_note: Note | None = None


def tell(note: Note) -> None:
    """Use this note in this process from now on."""
    global _note
    _note = note


@contextlib.contextmanager
def plugin(name: str) -> t.Iterator[None]:
    """Note `name` while the body runs; it stays noted if the process does not survive that."""
    if _note is not None:
        _note.write(name)
    yield
    if _note is not None:
        _note.write("")
