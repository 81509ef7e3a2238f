"""Tutor's Jinja environments with shared compiled code, and a sandboxed one for configuration.

Compiled code may be shared between children because it depends on nothing but its key: Jinja
would evaluate filters of constants while it compiles (`{{ 24|random_string }}` would become one
string for ever), so filters that are not Jinja's own are hidden from the compiler behind stubs
that cannot be evaluated.
"""

from __future__ import annotations

import functools
import typing as t
from types import CodeType

import jinja2
from jinja2.defaults import DEFAULT_FILTERS
from jinja2.sandbox import SandboxedEnvironment
from tutor import env as tutor_env

from . import watched
from .secret import plain

#: What compiled code depends on: the environment's kind, source, name, file name.
CodeKey = t.Tuple[t.Hashable, str, t.Optional[str], t.Optional[str]]

#: Compiled templates of this process. The parent's are inherited by every child; what a child
#: adds dies with it, unless it is a warm-up child (see `warm`).
CODE: dict[CodeKey, CodeType] = {}

_PASS_ARG = "jinja_pass_arg"


class CachedEnvironment(watched.Watched, tutor_env.JinjaEnvironment):
    """Tutor's environment, with compiled code from `CODE`, in which uses of secrets are seen."""

    def __init__(self) -> None:
        super().__init__()
        self.watch()
        self.loader = _loader(tuple(self.loader.searchpath))
        self._kind: t.Hashable = None
        self._stubs: dict[str, t.Callable[..., t.Any]] = {}

    def compile(  # type: ignore[override]
        self,
        source: t.Any,
        name: str | None = None,
        filename: str | None = None,
        raw: bool = False,
        defer_init: bool = False,
    ) -> t.Any:
        """Compile, or take the code of the same source from the cache."""
        if raw or defer_init or not isinstance(source, str):
            return super().compile(source, name, filename, raw, defer_init)
        # A configuration value may be a text with a secret's mark.
        source = plain(source)
        if self._kind is None:
            self._examine_filters()
        key = (self._kind, source, name, filename)
        code = CODE.get(key)
        if code is None:
            code = CODE[key] = self._compile_with_stubs(source, name, filename)
        return code

    def _examine_filters(self) -> None:
        """Derive the environment's kind: sandboxed or not, and the filters whose calls compile
        to something else than those of an unknown filter."""
        unusual = []
        for name, function in self.filters.items():
            if DEFAULT_FILTERS.get(name) is function:
                continue
            passed = getattr(function, _PASS_ARG, None)
            self._stubs[name] = _stub(passed)
            if passed is not None or name in DEFAULT_FILTERS:
                unusual.append((name, str(passed)))
        self._kind = (self.sandboxed, tuple(sorted(unusual)))

    def _compile_with_stubs(
        self, source: str, name: str | None, filename: str | None
    ) -> CodeType:
        filters = self.filters
        self.filters = {**filters, **self._stubs}
        try:
            return super().compile(source, name, filename)
        finally:
            self.filters = filters


class ConfigEnvironment(SandboxedEnvironment, CachedEnvironment):
    """For configuration values: operators write them, so they reach no Python internals."""


class UncachedConfigEnvironment(SandboxedEnvironment, tutor_env.JinjaEnvironment):
    """The same without shared code, for making secrets: each must be drawn anew."""


def literal(text: str) -> str:
    """A template that renders to exactly `text`."""
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    # Jinja reads string literals as ASCII with Python's escapes, and normalises line ends
    # before it does: everything else than printable ASCII goes as an escape.
    escaped = "".join(
        c if " " <= c <= "~" else c.encode("unicode_escape").decode("ascii")
        for c in quoted
    )
    return "{{ '" + escaped + "' }}"


def is_plain(text: str) -> bool:
    """Whether rendering would return `text` unchanged."""
    return "{" not in text and "\n" not in text and "\r" not in text


def _stub(passed: t.Any) -> t.Callable[..., t.Any]:
    """A filter that compiles like one that takes `passed` and cannot be evaluated."""

    def stub(*_args: t.Any, **_kwargs: t.Any) -> t.NoReturn:
        raise jinja2.nodes.Impossible

    if passed is not None:
        setattr(stub, _PASS_ARG, passed)
    return stub


class _CachedLoader(jinja2.FileSystemLoader):
    """Lists the template roots once; Tutor asks for the list for every target."""

    def list_templates(self) -> list[str]:
        if self._listing is None:
            self._listing = super().list_templates()
        return list(self._listing)

    _listing: list[str] | None = None


@functools.lru_cache(maxsize=None)
def _loader(roots: tuple[str, ...]) -> _CachedLoader:
    return _CachedLoader(list(roots))
