"""The long-lived process: reads requests, forks and watches a child for each."""

from __future__ import annotations

import collections
import dataclasses
import gc
import os
import selectors
import signal
import sys
import tempfile
import time
import typing as t

from . import child, confine, frames, loading, scratch, warm
from .errors import MAX_TRACEBACK, WorkerError
from .limits import Limits
from .request import Place, Request
from .throwaway import Throwaway

_CHUNK = 1 << 16

#: How often is looked at what children use, in seconds. Most have answered before the first look.
_LOOK = 0.2


@dataclasses.dataclass
class _Child:
    """A running child and what it has said so far."""

    id: int
    op: str
    pid: int
    answer_fd: int
    log_fd: int
    place: Place
    note: loading.Note
    plugin_set: tuple[str, ...]
    deadline: float
    answer: bytearray = dataclasses.field(default_factory=bytearray)
    log: bytearray = dataclasses.field(default_factory=bytearray)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the client decides at the start."""

    #: Children that run at the same time.
    parallel: int
    limits: Limits
    #: Shared code is made when this many requests wanted the same plugins.
    warm_after: int
    #: What children are confined to; `None` for as far as the kernel goes.
    confinement: confine.Confinement | None


class Parent:
    """Serves one client until it closes its end."""

    def __init__(
        self,
        requests: int,
        answers: int,
        directory: str,
        settings: Settings,
        throwaway: Throwaway,
        installed: frozenset[str],
        warmed: list[tuple[str, ...]],
    ) -> None:
        self._requests = requests
        self._answers = answers
        self._directory = directory
        self._settings = settings
        self._throwaway = throwaway
        self._installed = installed
        self._warmed = warmed
        self._warming: set[tuple[str, ...]] = set()
        self._wanted: collections.Counter[tuple[str, ...]] = collections.Counter()
        self._queue: collections.deque[tuple[int, Request]] = collections.deque()
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(requests, selectors.EVENT_READ, None)
        self._buffer = frames.Buffer()
        self._next_look = 0.0
        self._served = 0
        self._held_secrets = False
        self._closing = False

    def run(self) -> None:
        """Serve until the client closes the protocol or asks for the end."""
        # Children share the parent's memory until one of them writes to a page; a collection
        # would write to all of them.
        gc.collect()
        gc.freeze()
        try:
            while not self._closing:
                for key, _ in self._selector.select(self._patience()):
                    if key.data is None:
                        self._read_requests()
                    elif key.fd in self._selector.get_map():
                        self._read_child(key.data, key.fd)
                self._end_overdue()
                self._end_greedy()
                self._start_waiting()
        finally:
            for running in list(self._children.values()):
                self._reap(running)

    def _patience(self) -> float | None:
        if not self._children:
            return None
        first = min(c.deadline for c in self._children.values())
        return max(0.0, min(first, self._next_look) - time.monotonic())

    # Requests

    def _read_requests(self) -> None:
        data = os.read(self._requests, _CHUNK)
        if not data:
            self._closing = True
            return
        for frame in self._buffer.feed(data):
            head, body = frames.decode(frame)
            if head.get("op") == "shutdown":
                self._closing = True
                return
            self._accept(head, body)

    def _accept(self, head: dict[str, t.Any], body: bytes) -> None:
        id_ = head["id"]
        try:
            if head.get("op") not in child.OPERATIONS - {"warm"}:
                raise WorkerError("protocol", f"unknown operation {head.get('op')!r}")
            # A child inherits its parent's memory: where secrets were, no other instance's
            # code may run.
            self._served += 1
            if self._served > 1 and (head["op"] == "generate" or self._held_secrets):
                raise WorkerError(
                    "protocol", "secrets are made by a worker that serves nothing else"
                )
            self._held_secrets = head["op"] == "generate"
            request = Request.parse(head, body)
        except WorkerError as error:
            self._send(id_, frames.encode(error.head()))
            return
        except (KeyError, TypeError, ValueError) as error:
            problem = WorkerError("protocol", f"the request is malformed: {error!r}")
            self._send(id_, frames.encode(problem.head()))
            return
        self._queue.append((id_, request))

    def _send(self, id_: int, body: bytes, **fields: t.Any) -> None:
        """Write one answer; the client reads all the time, so this may block."""
        data = memoryview(frames.encode({"id": id_, **fields}, body))
        while data:
            data = data[os.write(self._answers, data) :]

    # Starting children

    def _start_waiting(self) -> None:
        while self._queue and len(self._children) < self._settings.parallel:
            for index, (id_, request) in enumerate(self._queue):
                plugin_set = self._plugin_set(request)
                if plugin_set not in self._warming:
                    break
            else:
                return
            if self._should_warm(request, plugin_set):
                self._warming.add(plugin_set)
                warm_up = Request.parse(
                    {"op": "warm", "plugins": list(plugin_set)}, b""
                )
                self._start(0, warm_up, plugin_set)
                continue
            del self._queue[index]
            self._start(id_, request, plugin_set)

    def _plugin_set(self, request: Request) -> tuple[str, ...]:
        """The distribution's own among the plugins of a request."""
        return tuple(sorted(self._installed.intersection(request.plugins)))

    def _should_warm(self, request: Request, plugin_set: tuple[str, ...]) -> bool:
        if request.op != "render":
            return False
        if any(set(plugin_set) <= set(done) for done in self._warmed):
            return False
        waiting = sum(1 for _, r in self._queue if self._plugin_set(r) == plugin_set)
        if self._wanted[plugin_set] + waiting >= self._settings.warm_after:
            return True
        self._wanted[plugin_set] += 1
        return False

    def _start(
        self, id_: int, request: Request, plugin_set: tuple[str, ...]
    ) -> None:
        try:
            place = Place(tempfile.mkdtemp(dir=self._directory))
        except OSError as error:
            self._not_started(id_, plugin_set, error)
            return
        note = loading.Note()
        answer_read, answer_write = os.pipe()
        log_read, log_write = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:
            for fd in (answer_read, answer_write, log_read, log_write):
                os.close(fd)
            note.close()
            scratch.remove(place.directory)
            self._not_started(id_, plugin_set, error)
            return
        if pid == 0:
            loading.tell(note)
            _become_child(
                request, place, self._settings, self._throwaway, answer_write, log_write
            )
        os.close(answer_write)
        os.close(log_write)
        running = _Child(
            id=id_,
            op=request.op,
            pid=pid,
            answer_fd=answer_read,
            log_fd=log_read,
            place=place,
            note=note,
            plugin_set=plugin_set,
            deadline=time.monotonic() + self._settings.limits.wall_seconds,
        )
        self._children[pid] = running
        self._selector.register(answer_read, selectors.EVENT_READ, running)
        self._selector.register(log_read, selectors.EVENT_READ, running)

    def _not_started(self, id_: int, plugin_set: tuple[str, ...], error: OSError) -> None:
        """Answer a request for which the machine has no room, and go on with the others."""
        if id_ == 0:
            # Sharing code is a matter of speed alone.
            self._warming.discard(plugin_set)
            self._warmed.append(plugin_set)
            return
        problem = WorkerError("machine", f"no process can be started: {error}")
        self._send(id_, frames.encode(problem.head()))

    # Children that speak or end

    def _read_child(self, running: _Child, fd: int) -> None:
        data = os.read(fd, _CHUNK)
        if fd == running.log_fd:
            running.log += data
            del running.log[:-MAX_TRACEBACK]
            if not data:
                self._selector.unregister(fd)
            return
        running.answer += data
        try:
            whole = _is_whole(running.answer)
        except frames.BadFrame as error:
            self._finish(running, WorkerError("crash", f"the answer is malformed: {error}"))
            return
        if whole:
            self._finish(running, None)
        elif not data:
            self._finish(running, WorkerError("crash", "no answer"))

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for running in list(self._children.values()):
            if running.deadline <= now:
                seconds = self._settings.limits.wall_seconds
                message = f"took longer than {seconds} s"
                self._finish(running, WorkerError("limit", message))

    def _end_greedy(self) -> None:
        """End children that use more than they may of what the kernel does not limit."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK
        limits = self._settings.limits
        for running in list(self._children.values()):
            room = scratch.Room(limits.disk_mib << 20, limits.files)
            try:
                if scratch.threads(running.pid) > limits.threads:
                    raise scratch.TooMuch(f"has more than {limits.threads} threads")
                scratch.measure_unnamed(running.pid, room)
                scratch.measure(running.place.directory, room)
            except scratch.TooMuch as excess:
                self._finish(running, WorkerError("limit", str(excess)))

    def _finish(self, running: _Child, error: WorkerError | None) -> None:
        """End a child and pass its answer on, or say why there is none."""
        status, cpu = self._reap(running)
        if error is not None:
            if error.kind == "crash":
                error = self._explain(running, status, cpu)
            error.plugin = running.note.read()
        running.note.close()
        if running.op == "warm":
            self._take_code(running, error)
            return
        if error is not None:
            self._send(running.id, frames.encode(error.head()))
        else:
            self._send(running.id, bytes(running.answer))

    def _reap(self, running: _Child) -> tuple[int, float]:
        """End a child's process group; (exit status, processor seconds)."""
        del self._children[running.pid]
        for fd in (running.answer_fd, running.log_fd):
            if fd in self._selector.get_map():
                self._selector.unregister(fd)
            os.close(fd)
        for kill in (os.killpg, os.kill):
            # The group is not there before the child has made it.
            try:
                kill(running.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
        _, status, usage = os.wait4(running.pid, 0)
        scratch.remove(running.place.directory)
        return status, usage.ru_utime + usage.ru_stime

    def _explain(self, running: _Child, status: int, cpu: float) -> WorkerError:
        """Why a child ended without an answer."""
        limits = self._settings.limits
        log = running.log.decode("utf-8", "replace").strip() or None
        if running.op == "generate":
            # What code that held secrets wrote is not repeated.
            log = None
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGXCPU or cpu >= limits.cpu_seconds:
            return WorkerError(
                "limit", f"used more than {limits.cpu_seconds} s of processor time", traceback=log
            )
        if code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = str(-code)
            return WorkerError("crash", f"was ended by signal {name}", traceback=log)
        return WorkerError("crash", f"exited with code {code}, without an answer", traceback=log)

    def _take_code(self, running: _Child, error: WorkerError | None) -> None:
        self._warming.discard(running.plugin_set)
        # Once is enough even where it failed.
        self._warmed.append(running.plugin_set)
        if error is None:
            head, body = frames.decode(bytes(running.answer))
            if "error" not in head:
                warm.add(body)
                self._send(0, warm.save(self._warmed), event="code")
                gc.freeze()


def _is_whole(answer: bytearray) -> bool:
    return len(answer) >= frames.PREFIX and len(answer) >= frames.size(answer)


def _become_child(
    request: Request,
    place: Place,
    settings: Settings,
    throwaway: Throwaway,
    answer_fd: int,
    log_fd: int,
) -> t.NoReturn:
    """What a forked child does. It leaves by `os._exit`, so that nothing of the parent runs."""
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.dup2(log_fd, 1)
        os.dup2(log_fd, 2)
        # Neither the protocol nor a neighbour's pipe may stay open here.
        os.closerange(3, answer_fd)
        os.closerange(answer_fd + 1, os.sysconf("SC_OPEN_MAX"))
        place.create()
        os.environ.update(HOME=place.home, TMPDIR=place.home)
        tempfile.tempdir = place.home
        os.chdir(place.home)
        confine.die_with_parent()
        settings.limits.apply()
        try:
            confine.enter(place.directory, settings.confinement)
            answer = memoryview(child.answer(request, place, throwaway))
        except WorkerError as error:
            answer = memoryview(frames.encode(error.head()))
        while answer:
            answer = answer[os.write(answer_fd, answer) :]
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.stderr.flush()
    finally:
        os._exit(code)
