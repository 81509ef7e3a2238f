"""What images are built from: the directory that `tutor images build` gives to a builder."""

from __future__ import annotations

import os
import typing as t

from tutor import hooks

from .config import Config
from .errors import WorkerError
from .render import Rendered, files_below

#: Images for a developer's machine, of which no cluster runs a container.
_ELSEWHERE = ("permissions",)


def known(config: Config) -> list[str]:
    """The images that a site has, by name."""
    return sorted(_places(config))


def context(
    config: Config, root: str, name: str, rendered: Rendered
) -> dict[str, bytes]:
    """The files of an image's build context, by their path in it."""
    place = _places(config).get(name)
    if place is None:
        raise WorkerError("usage", f"there is no image `{name}`", keys=known(config))
    below = place + "/"
    found = files_below(config, root, below, rendered)
    return {path.removeprefix(below): content for path, content in found.items()}


def _places(config: Config) -> dict[str, str]:
    """Image → its directory in Tutor's `env`."""
    return {
        name: (path if isinstance(path, str) else os.path.join(*path)).replace(os.sep, "/")
        for name, path, _tag, _arguments in hooks.Filters.IMAGES_BUILD.iterate(config)
        if not name.endswith("-dev") and name not in _ELSEWHERE
    }
