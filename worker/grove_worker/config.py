"""Loads an instance's configuration as Tutor does, with values rendered in Jinja's sandbox."""

from __future__ import annotations

import functools
import re
import typing as t
from copy import deepcopy

from tutor import config as tutor_config
from tutor import env as tutor_env
from tutor import hooks

from .errors import WorkerError, format_traceback, words
from .jinja import ConfigEnvironment, is_plain

#: Filters that make a new value at each call.
GENERATING = ("encrypt", "random_string", "rsa_private_key", "uuid")

#: Jinja's own filters that change letters, so that a placeholder would not survive them.
_CHANGING = ("capitalize", "lower", "reverse", "title", "truncate", "upper", "urlencode")

_PLACEHOLDER = re.compile(r"@@([A-Z][A-Z0-9_]*)@@")

Config = dict[str, t.Any]


class NeedsSecret(Exception):
    """A filter would draw a secret, or needs the value of one."""


class Configuration:
    """Renders configurations of one child, and remembers which secrets were missing."""

    def __init__(
        self,
        environment: type[tutor_env.JinjaEnvironment] = ConfigEnvironment,
        *,
        guard: bool = True,
    ) -> None:
        self._environment = environment
        self._guard = guard
        self._missing: set[str] = set()

    def install(self) -> None:
        """Have Tutor render every configuration this way in this process."""
        tutor_config.render_full = self.render

    def load(self, root: str) -> Config:
        """The full configuration of the project at `root`; an error if secrets are missing."""
        config = self.load_unchecked(root)
        if self._missing:
            names = ", ".join(sorted(self._missing))
            raise WorkerError(
                "missing-secret", f"no value is given for {names}", keys=self._missing
            )
        return config

    def load_unchecked(self, root: str) -> Config:
        """The full configuration, with placeholders for missing secrets."""
        return tutor_config.load_full(root)

    def render(self, config: Config) -> None:
        """What `tutor.config.render_full` does: render each value in order, with those before
        it rendered and those after it not."""
        renderer = self._renderer()
        for key, value in config.items():
            try:
                config[key] = _render_value(renderer, config, value)
            except NeedsSecret:
                self._missing.add(key)
                config[key] = f"@@{key}@@"
            except MemoryError:
                raise
            except Exception as error:
                raise WorkerError(
                    "config",
                    f"{key}: {words(error)}",
                    key=key,
                    traceback=format_traceback(error),
                ) from error

    def _renderer(self) -> tutor_env.Renderer:
        renderer = tutor_env.Renderer({})
        sandbox = self._environment()
        for name, value in renderer.environment.globals.items():
            # `range` stays the sandbox's own, which is bounded.
            if name != "range":
                sandbox.globals[name] = value
        sandbox.filters.update(renderer.environment.filters)
        if self._guard:
            guard_filters(sandbox)
        renderer.environment = sandbox
        return renderer


def _render_value(renderer: tutor_env.Renderer, config: Config, value: t.Any) -> t.Any:
    if isinstance(value, str):
        if is_plain(value):
            return value
        renderer.config = _copy(config)
        return renderer.render_str(value)
    if isinstance(value, dict):
        return {k: _render_value(renderer, config, v) for k, v in value.items()}
    if isinstance(value, list):
        return [_render_value(renderer, config, v) for v in value]
    return value


def _copy(config: Config) -> Config:
    """A copy whose changes do not reach the original; most values cannot change."""
    return {
        key: deepcopy(value) if isinstance(value, (dict, list)) else value
        for key, value in config.items()
    }


def guard_filters(environment: t.Any) -> None:
    """Replace the filters that cannot work on placeholders by ones that say so."""
    from jinja2.defaults import DEFAULT_FILTERS

    for name, function in list(environment.filters.items()):
        if name in GENERATING:
            environment.filters[name] = _refuse(name)
        elif name in _CHANGING or DEFAULT_FILTERS.get(name) is not function:
            environment.filters[name] = _keeps_placeholders(name, function)


def _refuse(name: str) -> t.Callable[..., t.NoReturn]:
    def refuse(*_args: t.Any, **_kwargs: t.Any) -> t.NoReturn:
        raise NeedsSecret(f"the filter {name} makes another value at each rendering")

    return refuse


def _keeps_placeholders(
    name: str, function: t.Callable[..., t.Any]
) -> t.Callable[..., t.Any]:
    @functools.wraps(function)
    def wrapper(*args: t.Any, **kwargs: t.Any) -> t.Any:
        result = function(*args, **kwargs)
        if isinstance(result, (str, bytes, int)):
            for argument in args:
                if isinstance(argument, str) and "@@" in argument:
                    _check_kept(name, argument, str(result))
        return result

    return wrapper


def _check_kept(name: str, argument: str, result: str) -> None:
    for match in _PLACEHOLDER.finditer(argument):
        if match.group() not in result:
            raise NeedsSecret(
                f"the filter {name} needs the value of {match.group(1)}, which rendering does"
                " not know"
            )


def declared() -> dict[str, tuple[t.Any, str | None]]:
    """The keys that Tutor and the loaded plugins make unique values for: name → (expression,
    the plugin that declares it or None)."""
    found: dict[str, tuple[t.Any, str | None]] = {
        key: (value, None)
        for key, value in tutor_config.get_template("base.yml").items()
        if isinstance(value, str)
    }
    for (name, value), app in items_with_app(hooks.Filters.CONFIG_UNIQUE):
        found[name] = (value, app)
    return found


def items_with_app(filtre: t.Any) -> list[tuple[t.Any, str | None]]:
    """The items of a list filter in Tutor's order, each with the name of the app (a plugin or a
    part of Tutor) whose callback added it."""
    apps: dict[int, str | None] = {}
    items: list[t.Any] = []
    for callback in filtre.callbacks:
        app = _app(callback.contexts)
        known = {id(item) for item in items}
        # Callbacks may return a new list, or the same one changed.
        items = list(callback.apply(items))
        for item in items:
            if id(item) not in known:
                apps[id(item)] = app
    return [(item, apps.get(id(item))) for item in items]


def _app(contexts: t.Iterable[str]) -> str | None:
    prefix = hooks.Contexts.app("").name
    names = [c[len(prefix) :] for c in contexts if c.startswith(prefix)]
    return names[-1] if names else None
