"""The parent's side of a child process.

Knows nothing of models, documents or vectors: `engine`, `retrieval.readers` and `retrieval.vectors`
say what the messages mean and check their values. The only place that starts a process.
"""

import collections
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from lumen_desktop.children.inside import LARGEST_LINE_BYTES, PROTOCOL
from lumen_desktop.errors import EngineError, LumenError, Stopped

FAILURES_ALLOWED = 3
FAILURES_WITHIN_S = 300.0

Message = dict[str, Any]

_STOP_ASKED: Message = {"event": "stop asked"}  # wakes whoever waits for the child; never comes from it

_INHERITED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP", "LD_LIBRARY_PATH", "PYTHONPATH",
    "LUMEN_MODELS", "XDG_CACHE_HOME",
)  # fmt: skip
_FIXED = {
    "OMP_WAIT_POLICY": "passive",  # the default spins at barriers: 3 to 20 times slower beside other work
    "ORT_DISABLE_TELEMETRY": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "OTEL_SDK_DISABLED": "true",
    "PYTHONUNBUFFERED": "1",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take.

    Attributes:
        memory_bytes: address space; 0 is no limit.
        start_timeout_s: from start to its first line.
        first_timeout_s: from a request to its first event.
        next_timeout_s: between two events.
        stop_timeout_s: from a stop to its answer; past it the child is killed.
    """

    memory_bytes: int = 0
    start_timeout_s: float = 60.0
    first_timeout_s: float = 120.0
    next_timeout_s: float = 20.0
    stop_timeout_s: float = 2.0


class Child:
    """One child process, started when first needed and again after a failure.

    One request runs at a time; threads that ask meanwhile get their turn in between. Three failures within five
    minutes end in safe mode: no further start, and an error that says what to do.

    Args:
        role: the switch of ``python -m lumen_desktop`` that makes the process this child.
        arguments: further arguments.
        limits: what it may take.
        title: how a sentence for the user names it.
    """

    def __init__(self, role: str, arguments: Sequence[str] = (), *, title: str, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._command = [*_python(), role, "--memory-bytes", str(self._limits.memory_bytes), *arguments]
        self._title = title
        self._process: subprocess.Popen[bytes] | None = None
        self._inbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._ready: Message | None = None
        self._starting = threading.RLock()
        self._turn = threading.Lock()
        self._next_turn = threading.Lock()  # held by whoever waits, so that a loop of requests cannot starve it
        self._failures: collections.deque[float] = collections.deque(maxlen=FAILURES_ALLOWED)
        self._number = 0
        self._stopping = threading.Event()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the running child, if one runs."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def start(self) -> None:
        """Starts the process without waiting for it, where none runs.

        Raises:
            EngineError: safe mode (ENG-003), or the process cannot be started (ENG-001).
            Stopped: `close` was called.
        """
        with self._starting:
            if self.pid is None:
                self._refuse_in_safe_mode()
                self._reap()
                self._spawn()

    def ready(self) -> Message:
        """Starts the child if need be and waits for its first line.

        Returns:
            The fields of that line: protocol, and what the child says of itself.

        Raises:
            EngineError: it did not start in time, died, or speaks another protocol.
        """
        with self._starting:
            if self.pid is not None and self._ready is not None:
                return self._ready
            self.start()
            deadline = time.monotonic() + self._limits.start_timeout_s
            first = _STOP_ASKED
            while first is _STOP_ASKED:  # a stop during the start reaches the request that follows
                first = self._next(deadline)
            if first["event"] == "error":
                raise self._translated(first, fatal=True)
            if first["event"] != "ready" or first.get("protocol") != PROTOCOL:
                raise self.distrust()
            self._ready = first
            return first

    def is_ready(self) -> bool:
        """Whether the first line has come; never waits."""
        if self.pid is None:
            return False
        return self._ready is not None or not self._inbox.empty()

    def stream(self, operation: str, fields: Mapping[str, Any], *, payload: bytes = b"") -> Iterator[Message]:
        """Sends one request and yields its events; the last one is ``done``.

        Closing the iterator early, or `stop` from another thread, stops the child's work.

        Raises:
            EngineError: crash, hang or garbage (the child is restarted by the next request), or what the
                child itself refused.
        """
        with self._my_turn():
            self._stopping.clear()
            self.ready()
            self._number += 1
            number = self._number
            request = {"id": number, "op": operation, "payload_bytes": len(payload), **fields}
            self._write(json.dumps(request).encode() + b"\n" + payload)
            finished = False
            try:
                for event in self._events(number):
                    finished = event["event"] in {"done", "error"}
                    if event["event"] == "error":
                        raise self._translated(event, fatal=False)
                    yield event
            finally:
                if not finished and self.pid is not None:
                    self._settle(number)

    def request(self, operation: str, fields: Mapping[str, Any], *, payload: bytes = b"") -> Message:
        """Sends one request that has no events but its last one, and returns that."""
        last: Message = {}
        for event in self.stream(operation, fields, payload=payload):
            last = event
        return last

    def stop(self) -> None:
        """Asks the running request to end; safe from any thread, without effect where none runs."""
        self._stopping.set()
        self._inbox.put(_STOP_ASKED)

    def distrust(self) -> EngineError:
        """Ends a child whose message did not pass its checks; counts as a failure.

        Returns:
            The error to raise.
        """
        return self._failure("ENG-004", "sent something that is not in its protocol")

    def close(self) -> None:
        """Ends the child for good: a thread that still asks for it is stopped, and starts none anew."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        """Ends the process; it goes by itself when its standard input closes."""
        process, self._process, self._ready = self._process, None, None
        if process is None:
            return
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    @contextlib.contextmanager
    def _my_turn(self) -> Iterator[None]:
        with self._next_turn:
            self._turn.acquire()
        try:
            yield
        finally:
            self._turn.release()

    def _spawn(self) -> None:
        self._refuse_closed()
        environment = {k: v for k, v in os.environ.items() if k in _INHERITED or k.startswith("COVERAGE_")} | _FIXED
        errors = None if os.environ.get("LUMEN_CHILD_STDERR") else subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment
            )
        except OSError as error:
            raise self._failure("ENG-001", f"could not be started ({error.strerror})") from error
        self._inbox = queue.SimpleQueue()
        self._ready = None
        assert self._process.stdout
        threading.Thread(target=_pump, args=(self._process.stdout, self._inbox), daemon=True).start()
        self._refuse_closed()  # closed meanwhile by another thread, which saw no process

    def _refuse_closed(self) -> None:
        if self._closed:
            self._end()
            raise Stopped

    def _events(self, number: int) -> Iterator[Message]:
        """Events of one request up to its last; sends the stop when one is asked for."""
        deadline, stop_sent = time.monotonic() + self._limits.first_timeout_s, False
        while True:
            if self._stopping.is_set() and not stop_sent:
                stop_sent = True
                self._write(json.dumps({"id": number, "op": "stop", "payload_bytes": 0}).encode() + b"\n")
                deadline = time.monotonic() + self._limits.stop_timeout_s
            event = self._next(deadline)
            if event is _STOP_ASKED:
                continue
            if event.get("id") != number:
                raise self.distrust()
            handed_over = time.monotonic()
            yield event
            if event["event"] in {"done", "error"}:
                return
            now = time.monotonic()
            # what the reader took does not count against the child, and a stop is not put off by talking on
            deadline = deadline + now - handed_over if stop_sent else now + self._limits.next_timeout_s

    def _settle(self, number: int) -> None:
        """Stops a request whose reader went away, so that the next one finds a quiet pipe."""
        self._stopping.set()
        with contextlib.suppress(LumenError):
            for _ in self._events(number):
                pass

    def _next(self, deadline: float) -> Message:
        remaining_s = deadline - time.monotonic()
        try:
            if remaining_s <= 0:
                raise queue.Empty  # noqa: TRY301 - a child that never falls silent is late all the same
            message = self._inbox.get(timeout=remaining_s)
        except queue.Empty:
            raise self._failure("ENG-005", "did not answer in time and was ended") from None
        if message is None:
            raise self._failure("ENG-002", "ended unexpectedly")
        if not isinstance(message.get("event"), str):
            raise self.distrust()
        return message

    def _write(self, data: bytes) -> None:
        process = self._process
        try:
            if process is None or process.stdin is None:
                raise BrokenPipeError  # closed by another thread: the same to whoever asks
            process.stdin.write(data)
            process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._failure("ENG-002", "ended unexpectedly") from error

    def _failure(self, code: str, what: str) -> EngineError:
        """Ends the child, counts the failure and makes its error."""
        self._failures.append(time.monotonic())
        self._reap()
        return EngineError(
            f"The {self._title} {what}.", code=code, hint="Try again: it is restarted. Nothing stored was changed."
        )

    def _translated(self, event: Message, *, fatal: bool) -> EngineError:
        """The error that the child itself gave, its words checked for length only: they are ours."""
        if fatal:
            self._reap()
        message, code, hint = (str(event.get(key, ""))[:500] for key in ("message", "code", "hint"))
        return EngineError(message or f"The {self._title} refused.", code=code or "ENG-006", hint=hint)

    @property
    def in_safe_mode(self) -> bool:
        """Whether it failed so often of late that it is not started again for now."""
        horizon = time.monotonic() - FAILURES_WITHIN_S
        return sum(failed >= horizon for failed in tuple(self._failures)) >= FAILURES_ALLOWED

    def _refuse_in_safe_mode(self) -> None:
        if self.in_safe_mode:
            raise EngineError(
                f"The {self._title} failed {FAILURES_ALLOWED} times within five minutes and is not started again.",
                code="ENG-003",
                hint="Run the self-test, under Settings in the window or as `lumen doctor`; it says which part fails.",
            )

    def _reap(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.kill()
        self._end()


def _python() -> list[str]:
    """The command that starts this program again."""
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "lumen_desktop"]


def _pump(source: IO[bytes], inbox: "queue.SimpleQueue[Message | None]") -> None:
    """Carries lines from a pipe to a queue; anything but a JSON object becomes a message without event."""
    with contextlib.suppress(OSError, ValueError):
        while line := source.readline(LARGEST_LINE_BYTES):
            try:
                message = json.loads(line)
            except (ValueError, RecursionError):
                message = None
            inbox.put(message if isinstance(message, dict) else {})
    inbox.put(None)
