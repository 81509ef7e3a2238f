"""Names of what is computed of a secret, for grove-seal, which knows the value.

A name says all of it, so that an older tree can be sealed again without rendering: the secret's
own name, then the steps, each after two underscores. `A__PRE_783A__B64` is the base64 of `x:` and
the value of `A`. `crates/grove-seal/src/derive/program.rs` computes them.
"""

from __future__ import annotations

import typing as t

from . import marks

#: Kubernetes takes no longer key; a variable of the name has a prefix.
_LONGEST = 230

#: Steps whose result is bytes that are no text.
HASHES = ("MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512")

#: The secrets of the instance, whose names no derived one may have.
_taken: frozenset[str] = frozenset()


def know(names: t.Iterable[str]) -> None:
    """The names of the instance's secrets."""
    global _taken
    _taken = frozenset(names)


def name(text: str, step: str) -> str | None:
    """The name of what `step` makes of a text with secrets; none where there can be none."""
    made = _text(marks.pieces(text))
    if made is None:
        return None
    made = f"{made}__{step}"
    return made if len(made) <= _LONGEST and made not in _taken else None


def secret_of(name: str) -> str:
    """The secret that a name is computed of; the name itself where it is a secret's own."""
    while name not in _taken and "__" in name.strip("_"):
        name = name.rpartition("__")[0]
    return name


def is_bytes(text: str) -> bool:
    """Whether a text stands for bytes that are no text."""
    return any(one.rpartition("__")[2] in HASHES for one in marks.names(text))


def slice_step(key: slice) -> str | None:
    """The step of a slice; none where it is not one of numbers."""
    parts = []
    if key.step == 0:
        return None
    for part in (key.start, key.stop, key.step):
        if part is None:
            parts.append("N")
        elif type(part) is int and abs(part) < 1_000_000:
            parts.append(f"M{-part}" if part < 0 else str(part))
        else:
            return None
    return "SLICE_" + "_".join(parts)


def _text(pieces: list[str]) -> str | None:
    """The name of a text of literals and secrets."""
    made = ""
    before = ""
    for piece in pieces:
        if not isinstance(piece, marks.Name):
            if made:
                made += f"__POST_{_hex(piece)}"
            else:
                before = piece
        elif made:
            made += f"__AND_{_hex(piece)}"
        else:
            made = str(piece)
            if before:
                made += f"__PRE_{_hex(before)}"
    return made or None


def _hex(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").hex().upper()
