"""Keeps the children of one worker apart with Landlock, where the kernel has it.

The worker as a whole is confined by whoever starts it. Its children belong to different
instances, perhaps of different clients, and share one user: without more, a plugin could write
into a neighbour's directory, signal it or trace it. A Landlock domain of its own stops all three:
a process may trace or signal only processes of its own domain.

Nothing here needs privileges, and a kernel without Landlock changes nothing: the outer
confinement holds either way. The numbers are those of `linux/landlock.h` and of the system call
table that all architectures share for calls above 424.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38

#: Rights to write, remove, make, and (from versions 2 and 3) to link and truncate.
_WRITES = (1 << 1) | sum(1 << bit for bit in range(4, 13))
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_SCOPE_ABSTRACT_SOCKET, _SCOPE_SIGNAL = 1 << 0, 1 << 1


class _RulesetAttributes(ctypes.Structure):
    _fields_ = [
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    ]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends."""
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    except (OSError, AttributeError):
        pass


def confine(directory: str) -> bool:
    """Let this process write only below `directory`, and reach no other process.

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
        attributes = _RulesetAttributes(handled_access_fs=writes)
        # Each version knows a longer structure; a longer one than it knows must be zero.
        size = 8 if version < 4 else 16
        if version >= 6:
            attributes.scoped = _SCOPE_ABSTRACT_SOCKET | _SCOPE_SIGNAL
            size = ctypes.sizeof(attributes)
        ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(attributes), size, 0)
        if ruleset < 0:
            return False
        try:
            return (
                _allow(libc, ruleset, directory, writes)
                # Opening /dev/null for writing is what plugins and libraries do to be quiet.
                and _allow(libc, ruleset, os.devnull, (1 << 1) | (writes & _TRUNCATE))
                and libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                and libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
            )
        finally:
            os.close(ruleset)
    except (OSError, AttributeError):
        return False


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, access: int) -> bool:
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(allowed_access=access, parent_fd=fd)
        return (
            libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
            == 0
        )
    finally:
        os.close(fd)
