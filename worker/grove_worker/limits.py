"""What one child may use."""

from __future__ import annotations

import dataclasses
import resource
import typing as t


#: Processes that only the parent can have: where the kernel counts all of them together, threads
#: of one child must not keep it from starting others.
_RESERVE = 64


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bounds of one request."""

    #: Processor time, in seconds.
    cpu_seconds: int = 60
    #: Time on the clock, in seconds.
    wall_seconds: int = 120
    #: Address space, in MiB.
    memory_mib: int = 1024
    #: Largest file that may be written, in MiB.
    file_mib: int = 64
    #: Disk that all files take together, in MiB. The parent looks now and then.
    disk_mib: int = 256
    #: Files and directories. The parent looks now and then.
    files: int = 20_000
    #: Threads. The parent looks now and then.
    threads: int = 64

    @classmethod
    def of(cls, values: t.Mapping[str, t.Any]) -> Limits:
        """Read limits that the client sent; those it did not name keep their defaults."""
        names = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - names)
        if unknown:
            raise ValueError(f"unknown limits: {', '.join(unknown)}")
        for name, value in values.items():
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"limit {name} is not a positive whole number")
        return cls(**values)

    def apply(self) -> None:
        """Limit this process. The hard limit on time is one second later than the soft one,
        so that code which ignores the signal ends all the same."""
        _limit(resource.RLIMIT_CPU, self.cpu_seconds, self.cpu_seconds + 1)
        _limit(resource.RLIMIT_AS, self.memory_mib << 20)
        _limit(resource.RLIMIT_FSIZE, self.file_mib << 20)
        _limit(resource.RLIMIT_NOFILE, 256)
        _limit(resource.RLIMIT_CORE, 0)
        _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
        if processes != resource.RLIM_INFINITY:
            _limit(resource.RLIMIT_NPROC, max(1, processes - _RESERVE))


def _limit(what: int, soft: int, hard: int | None = None) -> None:
    """Lower a limit; never above what the process was given."""
    hard = soft if hard is None else hard
    _, given = resource.getrlimit(what)
    if given != resource.RLIM_INFINITY:
        hard = min(hard, given)
    resource.setrlimit(what, (min(soft, hard), hard))
