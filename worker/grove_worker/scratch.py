"""A child's directory: how much is in it, and how it goes.

A child may leave anything there: files without number, directories deeper than a path can name.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import stat
import typing as t

#: Deeper than any template or theme lies.
_DEEPEST = 64


class TooMuch(Exception):
    """More than a child may have."""


@dataclasses.dataclass
class Room:
    """What is left of what a child may take."""

    bytes: int
    entries: int

    def take(self, status: os.stat_result) -> None:
        """Count one file or directory."""
        self.entries -= 1
        self.bytes -= status.st_blocks * 512
        if self.entries < 0:
            raise TooMuch("has more files than it may")
        if self.bytes < 0:
            raise TooMuch("used more disk than it may")


def measure(directory: str, room: Room) -> None:
    """Count what lies below a directory, while it may change."""
    waiting = [(directory, 0)]
    while waiting:
        path, depth = waiting.pop()
        if depth > _DEEPEST:
            raise TooMuch("has directories in directories, deeper than it may")
        try:
            entries = list(_bounded(os.scandir(path), room.entries))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            # One that cannot be looked at could hold anything.
            raise TooMuch(f"has a directory that cannot be read ({error.strerror})") from error
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            room.take(status)
            if stat.S_ISDIR(status.st_mode):
                waiting.append((entry.path, depth + 1))


def measure_unnamed(pid: int, room: Room) -> None:
    """Count the files that a process holds open and that have no name any more."""
    for status in _open_files(pid):
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
            room.take(status)


def threads(pid: int) -> int:
    """How many threads a process has; 0 where that cannot be seen."""
    try:
        # The directory has a link for itself, one for its parent, and one for each thread.
        return max(0, os.stat(f"/proc/{pid}/task").st_nlink - 2)
    except OSError:
        return 0


def remove(directory: str) -> None:
    """Delete a directory. What cannot be deleted stays, and is deleted with the worker's own."""
    try:
        root = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        _empty(root)
        os.rmdir(directory)
    except OSError:
        try:
            shutil.rmtree(directory, ignore_errors=True)
        except RecursionError:
            pass
    finally:
        os.close(root)


def _empty(root: int) -> None:
    """Delete all that is in a directory. Directories move up before they are emptied, so that no
    depth matters."""
    # One that a child cannot have taken.
    prefix, moved = os.urandom(8).hex(), 0
    while True:
        names = _clear(root)
        if not names:
            return
        for name in names:
            fd = _open(name, root)
            try:
                for inner in _clear(fd):
                    _open_up(inner, fd)
                    moved += 1
                    os.rename(inner, f"{prefix}-{moved}", src_dir_fd=fd, dst_dir_fd=root)
            finally:
                os.close(fd)
            os.rmdir(name, dir_fd=root)


def _clear(fd: int) -> list[str]:
    """Delete the files of a directory; the names of its directories."""
    names = []
    with os.scandir(fd) as entries:
        found = list(entries)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            names.append(entry.name)
        else:
            os.unlink(entry.name, dir_fd=fd)
    return names


def _open(name: str, parent: int) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        return os.open(name, flags, dir_fd=parent)
    except PermissionError:
        _open_up(name, parent)
        return os.open(name, flags, dir_fd=parent)


def _open_up(name: str, parent: int) -> None:
    """Allow oneself everything in a directory that was made without."""
    os.chmod(name, 0o700, dir_fd=parent)


def _bounded(entries: t.Iterator[os.DirEntry[str]], most: int) -> t.Iterator[os.DirEntry[str]]:
    for count, entry in enumerate(entries):
        if count > most:
            raise TooMuch("has more files than it may")
        yield entry


def _open_files(pid: int) -> t.Iterator[os.stat_result]:
    directory = f"/proc/{pid}/fd"
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        try:
            yield os.stat(os.path.join(directory, name))
        except OSError:
            continue
