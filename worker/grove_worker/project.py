"""The project of one instance: its plugins and its configuration, loaded in a child."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from tutor import hooks, serialize

from . import derivations, jinja, marks, plugins, render
from .config import Config, Configuration
from .request import Place, Request
from .throwaway import NAME as JWT_KEY
from .throwaway import Throwaway


@dataclasses.dataclass(frozen=True)
class Project:
    """An instance's project, loaded."""

    config: Config
    #: The loaded plugins.
    plugins: list[str]
    #: What the configuration was rendered with.
    configuration: Configuration


def load(request: Request, place: Place, throwaway: Throwaway) -> Project:
    """Load the instance's plugins and configuration."""
    marks.know_key(JWT_KEY, throwaway.pem)
    derivations.know(request.secrets)
    for name, text in sorted(request.patches.items()):
        hooks.Filters.ENV_PATCHES.add_item(
            (name, jinja.literal(text)), priority=render.PATCH_PRIORITY
        )
    configuration = Configuration()
    configuration.install()
    config = {**request.config, JWT_KEY: throwaway.pem}
    loaded = open_project(request, place, config)
    return Project(configuration.load(place.root), loaded, configuration)


def open_project(request: Request, place: Place, config: dict[str, t.Any]) -> list[str]:
    """Write the project that Tutor and the plugins will find, and load the plugins."""
    plugins.write_files(place.plugins, request.plugin_files)
    # Plugins may read the file; nothing writes it again.
    with open(os.path.join(place.root, "config.yml"), "w", encoding="utf-8") as file:
        serialize.dump({**config, "PLUGINS": request.plugins}, file)
    if request.plugin_files:
        plugins.discover_files(place.plugins, request.plugin_files)
    hooks.Actions.PROJECT_ROOT_READY.do(place.root)
    return plugins.check_loaded(request.plugins)
