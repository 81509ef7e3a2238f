"""Jinja's part of seeing what is done to secrets: operators, calls, tests and its own filters, which
work on texts in C or lose their type."""

from __future__ import annotations

import functools
import types
import typing as t

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, operators
from jinja2.defaults import DEFAULT_FILTERS, DEFAULT_TESTS
from jinja2.runtime import Context, internalcode

from . import trace, uses
from .secret import SecretText, derived, marked, plain
from .watching import json_for_html

#: Filters of Jinja that hand a text on as it is, or whose use of it is seen by its type.
_SEEN = frozenset(
    "capitalize d default format join list lower replace reverse safe string tojson trim upper"
    " urlencode".split()
)

#: Methods of a text that put their arguments in; of `replace` the second one.
_PUTTING = frozenset(("format", "format_map", "join"))


class Watched(jinja2.Environment):
    """An environment in which uses of secrets are seen."""

    concat = staticmethod(lambda parts: marked("".join(parts)))  # type: ignore[assignment]

    def watch(self) -> None:
        """Begin to see."""
        self.filters.update(_FILTERS)
        self.tests.update(_TESTS)
        self.globals["lipsum"] = _chance("lipsum")
        self.policies["json.dumps_function"] = json_for_html
        self.finalize = trace.output

    def from_string(self, source: t.Any, *args: t.Any, **kwargs: t.Any) -> jinja2.Template:
        template = super().from_string(source, *args, **kwargs)
        template.grove_source = source  # type: ignore[attr-defined]
        return template

    marked = staticmethod(marked)

    @staticmethod
    def joined(parts: t.Iterable[t.Any]) -> str:
        """What `~` makes."""
        return t.cast(str, marked("".join(map(str, parts))))

    @staticmethod
    def looked_in(value: t.Any) -> t.Any:
        """What stands behind `in`."""
        return _Haystack(value) if type(value) is str else value


class _Haystack(str):
    """A text in which something is looked for."""

    __slots__ = ()

    def __contains__(self, needle: t.Any) -> bool:
        if isinstance(needle, SecretText):
            uses.note(needle, "looks for {} in a text (`in`)")
        return super().__contains__(needle)


class _Generator(CodeGenerator):
    """Makes code in which results of operators and filters have their type."""

    def visit_Operand(self, node: nodes.Operand, frame: Frame) -> None:
        if node.op not in ("in", "notin"):
            super().visit_Operand(node, frame)
            return
        self.write(f" {operators[node.op]} environment.looked_in(")
        self.visit(node.expr, frame)
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        if frame.eval_ctx.volatile or frame.eval_ctx.autoescape:
            super().visit_Concat(node, frame)
            return
        self.write("environment.joined((")
        for one in node.nodes:
            self.visit(one, frame)
            self.write(", ")
        self.write("))")

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:
        self.write("environment.marked(")
        super().visit_Filter(node, frame)
        self.write(")")

    def visit_Mod(self, node: nodes.Mod, frame: Frame) -> None:
        self.write("environment.marked(")
        super().visit_Mod(node, frame)  # type: ignore[misc]
        self.write(")")


class _Context(Context):
    """Sees which templates reach a secret, and what they call with one."""

    def resolve_or_missing(self, key: str) -> t.Any:
        value = super().resolve_or_missing(key)
        if type(value) is SecretText or (type(value) in (dict, list) and _has_secret(value)):
            uses.touch()
            trace.reach(value)
        return value

    @internalcode
    def call(self, function: t.Any, /, *args: t.Any, **kwargs: t.Any) -> t.Any:
        if type(function) is types.BuiltinMethodType and type(function.__self__) is str:
            method = function.__name__
            for place, one in enumerate((*args, *kwargs.values())):
                if isinstance(one, SecretText) and method not in _PUTTING:
                    if (method, place) != ("replace", 1):
                        uses.note(one, f"looks for {{}} in a text (`{method}`)")
        return marked(super().call(function, *args, **kwargs))


Watched.code_generator_class = _Generator
Watched.context_class = _Context


def _has_secret(value: t.Any) -> bool:
    if isinstance(value, dict):
        return any(_has_secret(one) for one in value.values())
    if isinstance(value, list):
        return any(_has_secret(one) for one in value)
    return type(value) is SecretText


def _noting(name: str, native: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """A filter of Jinja that notes every text with a secret."""

    @functools.wraps(native)
    def noting(*args: t.Any, **kwargs: t.Any) -> t.Any:
        for one in (*args, *kwargs.values()):
            if isinstance(one, SecretText):
                uses.note(one, f"puts {{}} through the filter `{name}`")
        return native(*args, **kwargs)

    return noting


def _chance(name: str) -> t.Callable[..., t.Any]:
    """What draws something at random, which would be another text at each rendering."""

    @jinja2.pass_context
    def drawn(_context: t.Any, *_args: t.Any, **_kwargs: t.Any) -> str:
        uses.note_chance(name)
        return ""

    return drawn


def _length(value: t.Any) -> t.Any:
    if isinstance(value, SecretText):
        return derived(value, "LENGTH", "measures {} (`length`)")
    return len(value)


def _title(value: t.Any) -> str:
    if isinstance(value, SecretText):
        return derived(value, "TITLE", "changes {} (`title`)")
    return DEFAULT_FILTERS["title"](value)


def _escape(name: str) -> t.Callable[..., t.Any]:
    native = DEFAULT_FILTERS[name]

    @functools.wraps(native)
    def escape(value: t.Any) -> t.Any:
        if isinstance(value, SecretText):
            each = lambda one: str(native(one))  # noqa: E731
            return derived(value, "HTML", "escapes {} for HTML", each)
        return native(value)

    return escape


def _replace(eval_context: t.Any, value: str, old: str, *args: t.Any, **kwargs: t.Any) -> str:
    if isinstance(old, SecretText):
        uses.note(old, "looks for {} in a text (`replace`)")
    return DEFAULT_FILTERS["replace"](eval_context, value, old, *args, **kwargs)


def _is_in(value: t.Any, seq: t.Any) -> bool:
    return value in Watched.looked_in(seq)


def _of_text(native: t.Callable[[t.Any], bool]) -> t.Callable[[t.Any], bool]:
    """A test of what kind of thing something is, which a text answers without being asked."""

    def test(value: t.Any) -> bool:
        return native(plain(value) if isinstance(value, SecretText) else value)

    return test


_FILTERS: dict[str, t.Callable[..., t.Any]] = {
    **{
        name: _noting(name, native)
        for name, native in DEFAULT_FILTERS.items()
        if name not in _SEEN
    },
    **dict.fromkeys(("count", "length"), _length),
    **{name: _escape(name) for name in ("e", "escape", "forceescape")},
    "random": _chance("random"),
    "replace": jinja2.pass_eval_context(_replace),
    "title": _title,
}

_TESTS: dict[str, t.Callable[..., t.Any]] = {
    "in": _is_in,
    "iterable": _of_text(DEFAULT_TESTS["iterable"]),
    "sequence": _of_text(DEFAULT_TESTS["sequence"]),
}
