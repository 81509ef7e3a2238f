"""Which of Tutor's files Kustomize reads, found from `kustomization.yml` onwards."""

from __future__ import annotations

import posixpath
import typing as t

import yaml

from .errors import WorkerError

#: Names under which Kustomize looks for a directory's kustomization.
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

#: Bounds what is walked of one kustomization, whose aliases could unfold for ever.
_MAX_NODES = 100_000


def collect(
    available: t.Iterable[str], read: t.Callable[[str], bytes]
) -> dict[str, bytes]:
    """Read `kustomization.yml` and every available file that it names, directly or through a
    directory with a kustomization of its own.

    Every scalar that is the path of an available file counts as a reference, whatever field it
    stands in: Kustomize has many such fields and gains more, and a file too many is harmless.
    """
    paths = set(available)
    directories = {d for path in paths for d in _parents(path)}
    taken: dict[str, bytes] = {}
    pending = ["kustomization.yml"]
    while pending:
        path = pending.pop()
        if path in taken:
            continue
        taken[path] = read(path)
        if posixpath.basename(path) not in KUSTOMIZATIONS:
            continue
        here = posixpath.dirname(path)
        for scalar in _scalars(path, taken[path]):
            for target in _targets(here, scalar):
                if target in paths:
                    pending.append(target)
                elif target in directories:
                    pending.extend(_inside(paths, target))
    return taken


def _parents(path: str) -> t.Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _inside(paths: set[str], directory: str) -> list[str]:
    """What a reference to a directory reads: its kustomization, else all of it."""
    for name in KUSTOMIZATIONS:
        path = posixpath.join(directory, name)
        if path in paths:
            return [path]
    return [path for path in paths if path.startswith(directory + "/")]


def _targets(here: str, scalar: str) -> t.Iterator[str]:
    """The paths that a scalar may mean; files of generators may be written as `key=path`."""
    if "\n" in scalar or len(scalar) > 4096:
        return
    for text in {scalar, scalar.partition("=")[2]}:
        if text and not text.startswith("/"):
            yield posixpath.normpath(posixpath.join(here, text))


def _scalars(path: str, content: bytes) -> t.Iterator[str]:
    try:
        pending = list(yaml.load_all(content, Loader=_LOADER))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise WorkerError(
            "template", f"{path} is not valid YAML: {error}", file=path
        ) from error
    seen: set[int] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            yield node
        elif isinstance(node, (dict, list)) and id(node) not in seen:
            seen.add(id(node))
            if len(seen) > _MAX_NODES:
                raise WorkerError("template", f"{path} is too large", file=path)
            pending.extend(node.values() if isinstance(node, dict) else node)
