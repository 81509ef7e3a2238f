"""Imports Tutor once, in the parent, and prepares it for rendering in forked children."""

from __future__ import annotations

import functools
import os
import tempfile
import typing as t


def clean_environment(directory: str) -> None:
    """Keep nothing of the caller's environment: Tutor takes any `TUTOR_KEY` as configuration,
    and plugins may read whatever else is there."""
    os.environ.clear()
    os.environ.update(
        HOME=directory,
        TMPDIR=directory,
        LANG="C.UTF-8",
        LC_ALL="C.UTF-8",
        TZ="UTC",
        PATH="/usr/bin:/bin",
        PYTHONHASHSEED="0",
    )
    tempfile.tempdir = directory


def preload() -> str:
    """Import Tutor, announce its core as ready, and return its version.

    No plugin is imported: what a plugin registers cannot be taken back reliably.
    """
    # The user's number is a template variable; the output must not depend on the machine.
    from tutor import utils

    utils.get_user_id = lambda: 1000
    # Reading the JWT key checks its primes anew, which takes half the time of a rendering.
    read_key = functools.lru_cache(maxsize=4)(utils.rsa_import_key)
    utils.rsa_import_key = lambda pem: read_key(str.__str__(pem))

    # Parts of Tutor register themselves only when the command line is imported.
    import tutor.commands.cli  # noqa: F401
    from tutor import env, hooks, plugins, serialize
    from tutor.__about__ import __version__

    # What children need is imported here once, not in each of them.
    from . import declared, jinja, jobs, twice, warm, watching  # noqa: F401
    from .plugins import load_all

    hooks.Actions.CORE_READY.do()
    plugins.load_all = load_all
    env.JinjaEnvironment = jinja.CachedEnvironment
    _use_fast_yaml(serialize)
    watching.install()
    return __version__


def _use_fast_yaml(serialize: t.Any) -> None:
    """Parse with libyaml where it is there: the same values, about eight times faster.

    What libyaml refuses is parsed again in Python, so that errors keep Tutor's words.
    """
    import yaml

    if not yaml.__with_libyaml__:
        return
    slow_load, slow_load_all = serialize.load, serialize.load_all

    def load(stream: t.Any) -> t.Any:
        text = stream if isinstance(stream, (str, bytes)) else stream.read()
        try:
            return yaml.load(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            if text is not stream:
                stream.seek(0)
            return slow_load(stream)

    def load_all(stream: t.Any) -> t.Iterator[t.Any]:
        text = stream if isinstance(stream, (str, bytes)) else stream.read()
        try:
            return iter(list(yaml.load_all(text, Loader=yaml.CSafeLoader)))
        except yaml.YAMLError:
            return slow_load_all(text)

    serialize.load = load
    serialize.load_all = load_all
