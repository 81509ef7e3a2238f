"""Loads an instance's configuration as Tutor does, with values rendered in Jinja's sandbox."""

from __future__ import annotations

import typing as t
from copy import deepcopy

from jinja2.defaults import DEFAULT_FILTERS, DEFAULT_NAMESPACE
from tutor import config as tutor_config
from tutor import env as tutor_env
from tutor import hooks

from . import marks, secret, uses
from .errors import WorkerError, format_traceback, words
from .jinja import ConfigEnvironment, is_plain

#: Filters that make a new value at each call.
GENERATING = ("encrypt", "random_string", "rsa_private_key", "uuid")

Config = dict[str, t.Any]


class NeedsSecret(Exception):
    """A filter would draw a secret."""


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
        #: What was loaded, before any value was rendered.
        self._raw: Config | None = None
        self._reached: set[str] = set()

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
        self._raw = None
        return tutor_config.load_full(root)

    def again(self, first: Config) -> Config:
        """The configuration that `load` gave, with the texts of now for secrets; what reached none
        is not rendered again."""
        config = {key: marks.others(value) for key, value in (self._raw or {}).items()}
        renderer = self._renderer()
        for key, value in config.items():
            if key in self._reached:
                config[key] = self._rendered(renderer, config, key, value)
            else:
                config[key] = first[key]
        return config

    def source(self, key: str) -> str:
        """What was to be rendered for a key."""
        value = (self._raw or {}).get(key)
        return value if isinstance(value, str) else ""

    @property
    def reached(self) -> frozenset[str]:
        """The keys whose value reached a secret."""
        return frozenset(self._reached)

    def render(self, config: Config) -> None:
        """What `tutor.config.render_full` does: render each value in order, with those before
        it rendered and those after it not."""
        first, self._raw = self._raw is None, self._raw or dict(config)
        renderer = self._renderer()
        uses.was_touched()
        for key, value in config.items():
            config[key] = self._rendered(renderer, config, key, value)
            if first and uses.was_touched():
                self._reached.add(key)

    def _rendered(
        self, renderer: tutor_env.Renderer, config: Config, key: str, value: t.Any
    ) -> t.Any:
        noted = uses.count()
        try:
            with uses.rendering(f"config {key}"):
                value = _render_value(renderer, config, value)
            if uses.count() > noted and key in declared():
                # A secret that follows from others, which nobody gave.
                uses.forget(noted)
                raise NeedsSecret(f"{key} is made of other secrets")
        except NeedsSecret:
            self._missing.add(key)
            value = f"@@{key}@@"
        except MemoryError:
            raise
        except Exception as error:
            raise WorkerError(
                "config",
                f"{key}: {words(error)}",
                key=key,
                traceback=format_traceback(error),
            ) from error
        return secret.marked_all(value) if self._guard else value

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
        else:
            # Values are made here, for once.
            sandbox.filters["random"] = DEFAULT_FILTERS["random"]
            sandbox.globals["lipsum"] = DEFAULT_NAMESPACE["lipsum"]
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
    """Replace the filters that would draw a secret by ones that say so."""
    for name in GENERATING:
        if name in environment.filters:
            environment.filters[name] = _refuse(name)


def _refuse(name: str) -> t.Callable[..., t.NoReturn]:
    def refuse(*_args: t.Any, **_kwargs: t.Any) -> t.NoReturn:
        raise NeedsSecret(f"the filter {name} makes another value at each rendering")

    return refuse


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
