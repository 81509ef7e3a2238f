"""Says what an installed distribution holds: Tutor's version, its plugins, the secrets of each.

    python inspect_distribution.py RESULT

writes to the file RESULT a JSON object: `tutor` (its version), `secrets` (those of Tutor itself)
and `plugins`, by the name that Tutor calls them, each with `package`, `version` and `secrets`. A
plugin that does not load has `error` instead of `secrets`: the end of its traceback.

It is run by `grove lock`, confined, by the distribution's own Python.
"""

from __future__ import annotations

import json
import sys
import traceback

import importlib_metadata
from tutor import hooks, plugins
from tutor import config as tutor_config
from tutor.__about__ import __version__
from tutor.commands import cli  # noqa: F401  (its import completes Tutor's own hooks)

#: Made once for an instance like a secret, but it stands in labels: it identifies.
IDENTITY = "ID"


def secrets(items) -> list[str]:
    """The names of those values that are made: what has no expression is a constant."""
    return sorted(
        name
        for name, value in items
        if isinstance(value, str) and "{{" in value and name != IDENTITY
    )


def describe(entry: importlib_metadata.EntryPoint) -> dict[str, object]:
    description: dict[str, object] = {
        "package": entry.dist.metadata["Name"],
        "version": entry.dist.version,
    }
    try:
        plugins.load(entry.name)
    except BaseException:  # noqa: BLE001  (a plugin may even exit)
        description["error"] = traceback.format_exc(limit=-5)
        return description
    context = hooks.Contexts.app(entry.name).name
    unique = hooks.Filters.CONFIG_UNIQUE.iterate_from_context(context)
    description["secrets"] = secrets(unique)
    return description


def main() -> None:
    hooks.Actions.CORE_READY.do()
    entries = importlib_metadata.entry_points(group="tutor.plugin.v1")
    result = {
        "tutor": __version__,
        "secrets": secrets(tutor_config.get_base().items()),
        "plugins": {entry.name: describe(entry) for entry in entries},
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main()
