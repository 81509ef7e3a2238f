"""Compiled templates that children share.

They come only from children that load the distribution's own plugins and Tutor's defaults: a
child that has seen an instance's plugin or configuration could put anything into them.
"""

from __future__ import annotations

import importlib.util
import marshal

import jinja2
from tutor.__about__ import __version__

from . import PROTOCOL, jinja, render
from .config import Configuration
from .project import open_project
from .request import Place, Request
from .throwaway import NAME as JWT_KEY
from .throwaway import Throwaway

#: What saved code depends on beside the distribution's files.
_TAG = (PROTOCOL, importlib.util.MAGIC_NUMBER, jinja2.__version__, __version__)


def compiled(request: Request, place: Place, throwaway: Throwaway) -> bytes:
    """Render with defaults, and return the code that this compiled and the parent lacks."""
    before = set(jinja.CODE)
    configuration = Configuration()
    configuration.install()
    config = {
        JWT_KEY: throwaway.pem,
        "ID": "0" * 24,
        "ENABLE_HTTPS": True,
        "ENABLE_WEB_PROXY": False,
    }
    try:
        open_project(request, place, config)
        full = configuration.load_unchecked(place.root)
        render.files(full, place.root, render.Rendered())
        render.tasks(full, render.Rendered())
    except Exception:
        # Plugins may need configuration that only instances have: what was reached helps.
        pass
    return marshal.dumps(
        [(key, code) for key, code in jinja.CODE.items() if key not in before]
    )


def add(blob: bytes) -> None:
    """Take what a warm-up child compiled into this process."""
    jinja.CODE.update(marshal.loads(blob))


def save(plugin_sets: list[tuple[str, ...]]) -> bytes:
    """All shared code, and the sets of plugins that it covers, for the next worker."""
    return marshal.dumps((_TAG, plugin_sets, list(jinja.CODE.items())))


def restore(blob: bytes) -> list[tuple[str, ...]]:
    """Take over what an earlier worker saved; nothing if it was another distribution's."""
    try:
        tag, plugin_sets, items = marshal.loads(blob)
        if tag != _TAG:
            return []
        jinja.CODE.update(items)
        return [tuple(names) for names in plugin_sets]
    except (EOFError, ValueError, TypeError):
        return []
