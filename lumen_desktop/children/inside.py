"""The child's side: one request after another, a stop that is heard at once, nothing stray on the pipe.

Runs in a process that was started for it, before any heavy library is loaded. Knows no request's
meaning: the caller hands a handler over.
"""

import contextlib
import ctypes
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from lumen_desktop.errors import InputError, LumenError

PROTOCOL = 1
LARGEST_LINE_BYTES = 8 * 1024 * 1024
LARGEST_PAYLOAD_BYTES = 512 * 1024 * 1024
_NO_NEW_PRIVILEGES = 38  # PR_SET_NO_NEW_PRIVS, prctl(2)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in; its fields are untrusted until the handler checked them."""

    operation: str
    untrusted_fields: Mapping[str, Any]
    payload: bytes
    stopped: threading.Event = field(default_factory=threading.Event)


Events = Iterator[Mapping[str, Any]]
Handler = Callable[[Request], Events]


def confine(memory_bytes: int) -> None:
    """Limits this process before it loads anything: memory, no core file, no new privileges.

    Args:
        memory_bytes: address space; 0 is no limit. Without effect on Windows.
    """
    if sys.platform == "win32":  # pragma: no cover - POSIX only
        return
    import resource  # noqa: PLC0415 - exists on POSIX only

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def serve(load: Callable[[], tuple[Mapping[str, Any], Handler]]) -> int:
    """Loads what the child is for, says so, and answers requests until standard input closes.

    Args:
        load: returns the fields of the ready line and the handler; what it refuses is the child's last word.

    Returns:
        The exit status: 0, or 2 where loading was refused.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl+C ends
    pipe_in, send = _claim_pipes()
    try:
        ready, handle = load()
    except LumenError as error:
        send(_refusal(None, error))
        return 2
    send({"event": "ready", "protocol": PROTOCOL, **ready})
    requests: queue.SimpleQueue[tuple[int, Request]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(pipe_in, requests), daemon=True).start()
    while True:
        number, request = requests.get()
        _answer(number, request, handle, send)


def _answer(number: int, request: Request, handle: Handler, send: Callable[[Mapping[str, Any]], None]) -> None:
    last: Mapping[str, Any] = {"event": "done"}
    try:
        for event in handle(request):
            if event["event"] == "done":
                last = event
            else:
                send({"id": number, **event})
    except LumenError as error:
        last = _refusal(number, error)
    except MemoryError:
        last = _refusal(number, InputError("There was not enough memory for this.", code="RUN-002", hint="Close other programs or use a smaller file or model."))  # noqa: E501  # fmt: skip
    except Exception as error:  # noqa: BLE001 - a bug must not silence the pipe; its text may hold document text
        name = type(error).__name__
        last = _refusal(number, LumenError(f"An internal fault ended the work ({name}).", code="RUN-003", hint="Try again; if it happens twice, report the code and the name in brackets."))  # noqa: E501  # fmt: skip
    send({"id": number, **last})


def _refusal(number: int | None, error: LumenError) -> Mapping[str, Any]:
    return {"id": number, "event": "error", "message": error.message, "code": error.code, "hint": error.hint}


def _claim_pipes() -> tuple[IO[bytes], Callable[[Mapping[str, Any]], None]]:
    """Takes standard input and output for itself, so that no library can print into the protocol."""
    pipe_in = os.fdopen(os.dup(0), "rb")
    pipe_out = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)

    def send(message: Mapping[str, Any]) -> None:
        try:
            pipe_out.write(json.dumps(message).encode() + b"\n")
            pipe_out.flush()
        except OSError:
            _leave()  # the parent is gone

    return pipe_in, send


def _listen(pipe_in: IO[bytes], requests: "queue.SimpleQueue[tuple[int, Request]]") -> None:
    """Reads requests; a stop sets the flag of its request at once, while the worker is busy."""
    current: dict[int, Request] = {}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        while line := pipe_in.readline(LARGEST_LINE_BYTES):
            fields = json.loads(line)
            number, operation = int(fields.pop("id")), str(fields.pop("op"))
            size_bytes = int(fields.pop("payload_bytes"))
            if operation == "stop":
                if number in current:
                    current[number].stopped.set()
                continue
            if not 0 <= size_bytes <= LARGEST_PAYLOAD_BYTES:
                break
            request = Request(operation, fields, pipe_in.read(size_bytes))
            current = {number: request}
            requests.put((number, request))
    _leave()


def _leave() -> None:
    """Ends the process wherever its worker is: the parent closed the pipe or sent what is no request."""
    if os.environ.get("COVERAGE_PROCESS_CONFIG") or os.environ.get("COVERAGE_PROCESS_START"):
        os.kill(os.getpid(), signal.SIGTERM)  # lets the measurement of a test run write its data
        return
    os._exit(0)
