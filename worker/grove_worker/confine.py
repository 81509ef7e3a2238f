"""Keeps the children of one worker apart, and from all that is not theirs.

The worker as a whole is confined by whoever starts it. Its children belong to different
instances, perhaps of different clients, and share one user: without more, a plugin could write
into a neighbour's directory, read it, signal it or trace it. A Landlock domain of its own stops all
of these: a process may trace or signal only processes of its own domain.

What Landlock does not know (modes and times of files, memory that outlives a process, forks) is
refused by filters of system calls, which the client makes and a child sets last. Where a client
asked for them, a child that cannot be confined answers nothing.

Nothing here needs privileges. The numbers are those of `linux/landlock.h` and of the system call
table that all architectures share for calls above 424.
"""

from __future__ import annotations

import ctypes
import dataclasses
import os
import shutil
import signal
import stat
import struct
import sys
import typing as t

from .errors import WorkerError

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_MODE_FILTER = 2

#: Rights to write, remove, make, and (from versions 2 and 3) to link and truncate.
_WRITES = (1 << 1) | sum(1 << bit for bit in range(4, 13))
_REFER, _TRUNCATE = 1 << 13, 1 << 14
#: Rights to make the device of a disk or a terminal, which no directory needs.
_DEVICES = (1 << 6) | (1 << 11)
#: Rights to run programs, read files and list directories.
_READS, _LIST = (1 << 0) | (1 << 2) | (1 << 3), 1 << 3
_SCOPE_ABSTRACT_SOCKET, _SCOPE_SIGNAL = 1 << 0, 1 << 1

#: The kernel's `struct sock_filter`: code, jump if true, jump if false, operand.
_INSTRUCTION = struct.Struct("=HBBI")


class _RulesetAttributes(ctypes.Structure):
    _fields_ = [
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    ]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


@dataclasses.dataclass(frozen=True)
class Confinement:
    """What a client asked for."""

    #: What a child may read beside its own directory; `None` for all that the worker may.
    read: tuple[str, ...] | None = None
    #: Filters of system calls, as instructions.
    filters: tuple[tuple[tuple[int, int, int, int], ...], ...] = ()
    #: What stands in them for a child's own process number.
    own_process: int = 0

    @classmethod
    def of(cls, values: t.Mapping[str, t.Any] | None) -> Confinement | None:
        """Read what the client sent; `None` where it asked for nothing."""
        if values is None:
            return None
        filters = tuple(tuple(map(tuple, steps)) for steps in values["filters"])
        if not filters:
            raise ValueError("there are no filters of system calls for this machine")
        return cls(tuple(values["read"]), filters, values["own_process"])


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends."""
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):
        pass


def enter(directory: str, confinement: Confinement | None) -> None:
    """Let this process write only below `directory` and reach nothing else.

    Without a confinement that is done as far as the kernel goes; with one, all of it or an error.
    """
    if confinement is None:
        restrict_files(directory, None)
        return
    if not restrict_files(directory, confinement.read):
        raise _refused("files")
    for steps in confinement.filters:
        if not _filter(steps, confinement.own_process):
            raise _refused("system calls")
    # A mode can be given to no file, and none means anything here: only contents are answered.
    shutil.copymode = shutil.copystat = _copy_no_mode


def restrict_files(directory: str, read: t.Iterable[str] | None) -> bool:
    """Let this process write only below `directory`, read only there and in `read` (everywhere
    without it), and reach no other process.

    Returns whether the kernel took it.
    """
    if sys.platform != "linux":
        return False
    try:
        libc = ctypes.CDLL(None)
        version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
        if version < 1:
            return False
        writes = _WRITES
        if version >= 2:
            writes |= _REFER
        if version >= 3:
            writes |= _TRUNCATE
        reads = 0 if read is None else _READS
        attributes = _RulesetAttributes(handled_access_fs=writes | reads)
        # Each version knows a longer structure; a longer one than it knows must be zero.
        size = 8 if version < 4 else 16
        if version >= 6:
            attributes.scoped = _SCOPE_ABSTRACT_SOCKET | _SCOPE_SIGNAL
            size = ctypes.sizeof(attributes)
        ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(attributes), size, 0)
        if ruleset < 0:
            return False
        try:
            for path in read or ():
                # What does not exist needs no right.
                _allow(libc, ruleset, path, reads)
            return (
                _allow(libc, ruleset, directory, (writes | reads) & ~_DEVICES)
                # Opening /dev/null for writing is what plugins and libraries do to be quiet.
                and _allow(
                    libc, ruleset, os.devnull, (1 << 1) | ((writes | reads) & (_TRUNCATE | 1 << 2))
                )
                and libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                and libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
            )
        finally:
            os.close(ruleset)
    except (OSError, AttributeError):
        return False


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, access: int) -> bool:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            # The kernel refuses rights of a directory for anything else.
            access &= ~_LIST
        rule = _PathBeneath(allowed_access=access, parent_fd=fd)
        return (
            libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
            == 0
        )
    finally:
        os.close(fd)


def _filter(steps: t.Sequence[tuple[int, int, int, int]], own_process: int) -> bool:
    """Set one filter for this process; whether the kernel took it."""
    pid = os.getpid()
    packed = b"".join(
        _INSTRUCTION.pack(code, jt, jf, pid if k == own_process else k)
        for code, jt, jf, k in steps
    )
    program = _Program(len(steps), packed)
    libc = ctypes.CDLL(None)
    return (
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0
    )


def _copy_no_mode(*_args: t.Any, **_kwargs: t.Any) -> None:
    """Stands for what gives a copy the mode and times of its original."""


def _refused(what: str) -> WorkerError:
    return WorkerError(
        "machine", f"this machine cannot confine the {what} of the process that renders"
    )
