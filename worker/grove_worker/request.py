"""What a client asks for, and where a child answers it."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from .errors import WorkerError

#: The fields of a request's head and their types; each may be left out.
_FIELDS: dict[str, type] = {
    "config": dict,
    "plugins": list,
    "patches": dict,
    "secrets": list,
    "names": list,
    "known": dict,
    "job": list,
    "image": str,
}


@dataclasses.dataclass(frozen=True)
class Request:
    """One instance as the client describes it."""

    op: str
    config: dict[str, t.Any]
    plugins: list[str]
    plugin_files: dict[str, bytes]
    patches: dict[str, str]
    secrets: frozenset[str]
    names: list[str]
    known: dict[str, str]
    job: list[str]
    image: str

    @classmethod
    def parse(cls, head: dict[str, t.Any], body: bytes) -> Request:
        """Read a request's frame."""
        plugin_files = {}
        at = 0
        for name, length in head.get("plugin_files", []):
            plugin_files[name] = body[at : at + length]
            at += length
        if at != len(body):
            raise WorkerError("protocol", "the plugin files do not fill the body")
        for field, kind in _FIELDS.items():
            if not isinstance(head.get(field, kind()), kind):
                raise WorkerError("protocol", f"{field} is no {kind.__name__}")
        return cls(
            op=head["op"],
            config=head.get("config", {}),
            plugins=head.get("plugins", []),
            plugin_files=plugin_files,
            patches=head.get("patches", {}),
            secrets=frozenset(head.get("secrets", [])),
            names=head.get("names", []),
            known=head.get("known", {}),
            job=head.get("job", []),
            image=head.get("image", ""),
        )


@dataclasses.dataclass(frozen=True)
class Place:
    """A child's private directories."""

    directory: str

    @property
    def root(self) -> str:
        """Tutor's project root."""
        return os.path.join(self.directory, "root")

    @property
    def plugins(self) -> str:
        """Tutor's plugins root."""
        return os.path.join(self.directory, "plugins")

    @property
    def home(self) -> str:
        """The home directory, and the place for temporary files."""
        return os.path.join(self.directory, "home")

    def create(self) -> None:
        """Make the directories."""
        for path in (self.root, self.plugins, self.home):
            os.mkdir(path, 0o700)
