"""Which secrets Tutor and the plugins declare, and making them as Tutor would."""

from __future__ import annotations

import typing as t

import jinja2
from jinja2 import defaults, nodes
from tutor import config as tutor_config

from . import jinja
from .config import GENERATING, Configuration, declared
from .errors import WorkerError
from .project import open_project
from .request import Place, Request
from .throwaway import NAME as JWT_KEY
from .throwaway import Throwaway

#: Unique to an instance, but it stands in labels: an identity, not a secret.
_IDENTITY = "ID"


def describe(
    request: Request, place: Place, throwaway: Throwaway
) -> dict[str, t.Any]:
    """Name every key that Tutor would make a value for once and keep.

    `class` is `generated` (drawn at random), `derived` (a function of the keys in `from`), or
    `fixed` (neither: a constant or configuration, which needs no making).
    """
    Configuration().install()
    open_project(request, place, {**request.config, JWT_KEY: throwaway.pem})
    expressions = _expressions()
    return {
        "secrets": [
            {"name": name, "expression": text, "plugin": app, **_classify(text, expressions)}
            for name, (text, app) in sorted(expressions.items())
        ]
    }


def generate(request: Request, place: Place, throwaway: Throwaway) -> dict[str, t.Any]:
    """Make values for `request.names`, and for what they cannot be made without.

    `request.known` holds the values that exist: they enter derivations and are never made anew.
    """
    guarded = Configuration()
    guarded.install()
    placeholders = {name: f"@@{name}@@" for name in request.secrets}
    config = {**request.config, **placeholders, JWT_KEY: throwaway.pem, **request.known}
    open_project(request, place, config)
    expressions = _expressions()
    names = _closure(request, expressions)
    for name in expressions:
        if name in names:
            config.pop(name, None)
        else:
            config.setdefault(name, f"@@{name}@@")
    # What Tutor itself would make of this file, in its order, and with its own filters.
    unguarded = Configuration(jinja.UncachedConfigEnvironment, guard=False)
    base = tutor_config.get_base()
    tutor_config.merge(config, base)
    unguarded.render(config)
    values = {}
    for name in sorted(names):
        value = config[name]
        if not isinstance(value, str) or "@@" in value or "{{" in value:
            raise WorkerError(
                "config", f"{name} cannot be made from its expression", key=name
            )
        values[name] = value
    return {"values": values}


def _expressions() -> dict[str, tuple[str, str | None]]:
    return {
        name: (text, app)
        for name, (text, app) in declared().items()
        if isinstance(text, str) and name != _IDENTITY
    }


def _closure(
    request: Request, expressions: dict[str, tuple[str, str | None]]
) -> set[str]:
    """The asked names and the declared ones that they are derived from, where those have no
    value yet."""
    names: set[str] = set()
    pending = list(request.names)
    while pending:
        name = pending.pop()
        if name in names:
            continue
        if name in request.known:
            if name in request.names:
                raise WorkerError("config", f"{name} has a value already", key=name)
            continue
        if name not in expressions:
            raise WorkerError(
                "config",
                f"{name} is no value that Tutor or an enabled plugin makes",
                key=name,
            )
        names.add(name)
        pending.extend(_classify(expressions[name][0], expressions)["from"])
    for name, (text, _) in expressions.items():
        stale = names.intersection(_classify(text, expressions)["from"])
        if name in request.known and stale:
            raise WorkerError(
                "config",
                f"{name} exists and is derived from {', '.join(sorted(stale))}, which is to be"
                " made: one of the two must go",
                key=name,
            )
    return names


def _classify(
    text: str, expressions: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    try:
        tree = jinja2.Environment().parse(text)
    except jinja2.TemplateSyntaxError:
        return {"class": "fixed", "from": []}
    variables = {node.name for node in tree.find_all(nodes.Name)}
    sources = sorted(variables.intersection(expressions))
    filters = {node.name for node in tree.find_all(nodes.Filter)}
    if filters.intersection((*GENERATING, "random")):
        kind = "generated"
    elif sources:
        kind = "derived"
    elif filters.difference(defaults.DEFAULT_FILTERS):
        # A plugin's own filter that takes no other secret can only draw one.
        kind = "generated"
    else:
        kind = "fixed"
    return {"class": kind, "from": sources}
