"""The type of a text that holds a secret's mark: what is done to it is noted, or becomes a secret
of its own where grove-seal can compute it.

Python's own functions take such a text for what it is, a `str`. What they do with it in C is not
seen here: `twice` sees what comes of it.
"""

from __future__ import annotations

import typing as t

from . import derivations, marks, uses

#: What is told of a method, with the secrets at `{}`; of others their name is.
_WORDS = {
    "__contains__": "looks into {} (`in`)",
    "__eq__": "compares {} (`==`)",
    "__float__": "reads {} as a number",
    "__ge__": "compares {} (`>=`)",
    "__getitem__": "takes a part of {} (`[…]`)",
    "__gt__": "compares {} (`>`)",
    "__hash__": "looks {} up (as a key, or in a set)",
    "__int__": "reads {} as a number",
    "__iter__": "loops over {}",
    "__le__": "compares {} (`<=`)",
    "__len__": "measures {} (`len`)",
    "__lt__": "compares or sorts {} (`<`)",
    "__mod__": "uses {} as a format (`%`)",
    "__ne__": "compares {} (`!=`)",
    "__repr__": "writes {} as Python does (`repr`)",
}

#: Methods that do nothing with a text but to hand it on.
_HARMLESS = frozenset(
    "__class__ __delattr__ __dir__ __doc__ __getattribute__ __getnewargs__ __getstate__ __init__"
    " __init_subclass__ __new__ __setattr__ __sizeof__ __subclasshook__".split()
)


def plain(text: str) -> str:
    """The same text as a `str` and nothing else."""
    return str.__str__(text) if type(text) is not str else text


def marked(value: t.Any) -> t.Any:
    """The value; a text that holds a secret's mark with the type that sees what is done to it."""
    if type(value) is str and marks.holds(value):
        uses.touch()
        return SecretText(value)
    return value


def marked_all(value: t.Any) -> t.Any:
    """The same for every text in lists and maps."""
    if isinstance(value, dict):
        return {key: marked_all(one) for key, one in value.items()}
    if isinstance(value, list):
        return [marked_all(one) for one in value]
    return marked(value)


def derived(
    text: str, step: str, what: str, each: t.Callable[[str], str] | None = None
) -> str:
    """The secret that `step` makes of a text; the text itself where it has no name. Where the step
    takes each character by itself, `each` does it to what is no secret."""
    uses.touch()
    pieces = marks.pieces(plain(text))
    if not each:
        pieces = [plain(text)]
    made = ""
    for piece in pieces:
        if each and not isinstance(piece, marks.Name):
            made += each(piece)
            continue
        mark = marks.mark(piece) if isinstance(piece, marks.Name) else piece
        name = None if derivations.is_bytes(mark) else derivations.name(mark, step)
        if name is None:
            uses.note(text, what)
            return text
        made += marks.mark(name)
    return SecretText(made)


class SecretText(str):
    """A text that holds a secret's mark."""

    __slots__ = ()

    # Putting it in

    def __str__(self) -> str:
        return self

    def __bool__(self) -> bool:
        # An empty secret is a finding: this answer is Tutor's.
        return True

    def __format__(self, spec: str) -> str:
        if spec and spec != "s":
            uses.note(self, f"formats {{}} (`{spec}`)")
            return str.__format__(self, spec)
        return self

    def __add__(self, other: t.Any) -> t.Any:
        return _again(str.__add__(plain(self), other))

    def __radd__(self, other: t.Any) -> t.Any:
        if not isinstance(other, str):
            return NotImplemented
        return _again(str.__add__(other, plain(self)))

    def __mul__(self, times: t.Any) -> t.Any:
        return _again(str.__mul__(plain(self), times))

    __rmul__ = __mul__

    def __rmod__(self, other: t.Any) -> t.Any:
        if not isinstance(other, str):
            return NotImplemented
        return _again(str.__mod__(other, (self,)))

    def join(self, parts: t.Any) -> str:
        return _again(str.join(plain(self), parts))

    def __copy__(self) -> SecretText:
        return self

    def __deepcopy__(self, _memo: t.Any) -> SecretText:
        return self

    def __reduce_ex__(self, _protocol: t.Any) -> t.Any:
        return SecretText, (plain(self),)

    # Comparing: of what is the same anyway nothing is noted

    def __eq__(self, other: object) -> t.Any:
        return self._compared(other, "__eq__")

    def __ne__(self, other: object) -> t.Any:
        return self._compared(other, "__ne__")

    def _compared(self, other: object, method: str) -> t.Any:
        # The same text is the same value, and no secret is empty.
        if isinstance(other, str) and plain(other) not in ("", plain(self)):
            uses.note(plain(self) + plain(other), _WORDS[method])
        return getattr(str, method)(self, other)

    def __hash__(self) -> int:
        uses.note(self, _WORDS["__hash__"])
        return str.__hash__(self)

    # What grove-seal computes

    def upper(self) -> str:
        return derived(self, "UPPER", "changes {} (`upper`)", str.upper)

    def lower(self) -> str:
        return derived(self, "LOWER", "changes {} (`lower`)")

    def capitalize(self) -> str:
        return derived(self, "CAPITALIZE", "changes {} (`capitalize`)")

    def __getitem__(self, key: t.Any) -> str:
        step = derivations.slice_step(key) if isinstance(key, slice) else None
        if step is None:
            uses.note(self, _WORDS["__getitem__"])
            return str.__getitem__(self, key)
        return derived(self, step, _WORDS["__getitem__"])

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        if encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
            uses.note(self, f"encodes {{}} as {encoding}")
        return SecretBytes(str.encode(self, encoding, errors))


class SecretBytes(bytes):
    """The bytes of a text that holds a secret's mark."""

    __slots__ = ()

    def text(self) -> str:
        """The text whose bytes these are, with the secrets' marks."""
        return bytes.decode(self, "utf-8", "surrogateescape")

    def __bool__(self) -> bool:
        return True

    def __bytes__(self) -> bytes:
        return self

    def __add__(self, other: t.Any) -> t.Any:
        return SecretBytes(bytes.__add__(self, other))

    def __radd__(self, other: t.Any) -> t.Any:
        if not isinstance(other, bytes):
            return NotImplemented
        return SecretBytes(bytes.__add__(other, self))

    def __copy__(self) -> SecretBytes:
        return self

    def __deepcopy__(self, _memo: t.Any) -> SecretBytes:
        return self

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        if derivations.is_bytes(self.text()):
            uses.note(self.text(), "reads a hash of {} as text")
        elif encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "ascii"):
            uses.note(self.text(), f"decodes {{}} as {encoding}")
        return t.cast(str, marked(bytes.decode(self, "utf-8", errors)))

    def hex(self, *separators: t.Any) -> str:
        if separators:
            uses.note(self.text(), "writes {} in groups of digits")
        return encoded(self, "HEX")


def hashed(value: SecretBytes, step: str) -> SecretBytes:
    """The hash of bytes."""
    return SecretBytes(_step(value, step).encode())


def encoded(value: SecretBytes, step: str) -> str:
    """What an encoding of bytes makes of them."""
    return SecretText(_step(value, step))


def _step(value: SecretBytes, step: str) -> str:
    text = value.text()
    name = derivations.name(text, step)
    if name is None:
        uses.note(text, f"changes {{}} (`{step.lower()}`)")
        return text
    uses.touch()
    return marks.mark(name)


def _again(value: t.Any) -> t.Any:
    return marked(value) if type(value) is str else value


def _noting(kind: type, method: str) -> t.Callable[..., t.Any]:
    """The method of `kind`, noted."""
    native = getattr(kind, method)
    words = _WORDS.get(method, f"changes or asks {{}} (`{method.strip('_')}`)")

    def noted(self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        uses.note(self.text() if isinstance(self, SecretBytes) else self, words)
        return native(self, *args, **kwargs)

    noted.__name__ = noted.__qualname__ = f"noted_{method}"
    return noted


def _number(kind: type, method: str) -> t.Callable[..., t.Any]:
    """What `int` and `float` ask a text for, which has no such method of its own."""

    def noted(self: t.Any) -> t.Any:
        uses.note(self.text() if isinstance(self, SecretBytes) else self, _WORDS[method])
        return kind(bytes(self) if isinstance(self, SecretBytes) else plain(self))

    return noted


for _kind, _native in ((SecretText, str), (SecretBytes, bytes)):
    for _method in dir(_native):
        if _method not in _HARMLESS and _method not in vars(_kind):
            if callable(getattr(_native, _method)):
                setattr(_kind, _method, _noting(_native, _method))
    _kind.__int__ = _number(int, "__int__")  # type: ignore[attr-defined]
    _kind.__float__ = _number(float, "__float__")  # type: ignore[attr-defined]
