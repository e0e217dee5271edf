"""A real child for the tests of `children`: its first argument is a mood, its requests are misdeeds."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from lumen_desktop.children import Request, confine, serve
from lumen_desktop.errors import InputError

PIPE = os.dup(1)  # before `serve` takes it: a way to break the protocol


def handle(request: Request) -> Iterator[Mapping[str, Any]]:
    yield from MISDEEDS[request.operation](request)


def echo(request: Request) -> Iterator[Mapping[str, Any]]:
    yield {"event": "first", "fields": dict(request.untrusted_fields)}
    yield {"event": "done", "payload": request.payload.decode()}


def count_until_stopped(request: Request) -> Iterator[Mapping[str, Any]]:
    number = 0
    while not request.stopped.is_set():
        yield {"event": "tick", "number": (number := number + 1)}
        time.sleep(0.01)
    yield {"event": "done", "number": number}


def silent_until_stopped(request: Request) -> Iterator[Mapping[str, Any]]:
    request.stopped.wait()
    yield {"event": "done", "stopped": True}


def deaf(request: Request) -> Iterator[Mapping[str, Any]]:
    while True:
        yield {"event": "tick"}
        time.sleep(0.001)


def hang(request: Request) -> Iterator[Mapping[str, Any]]:
    time.sleep(60)
    yield {"event": "done"}


def refuse(request: Request) -> Iterator[Mapping[str, Any]]:
    yield {"event": "first"}
    raise InputError("This cannot be used.", code="TST-001", hint="Use something else.")


def fault(request: Request) -> Iterator[Mapping[str, Any]]:
    raise RuntimeError("the patient's name")
    yield {}


def swallow_memory(request: Request) -> Iterator[Mapping[str, Any]]:
    yield {"event": "done", "size": len(bytearray(8 * 1024**3))}


def print_everywhere(request: Request) -> Iterator[Mapping[str, Any]]:
    print("a library's greeting")
    os.write(1, b"another one, from C\n")
    yield {"event": "done"}


def say(line: bytes) -> Any:
    def raw(request: Request) -> Iterator[Mapping[str, Any]]:
        os.write(PIPE, line + b"\n")
        yield {"event": "done"}

    return raw


def long_line(request: Request) -> Iterator[Mapping[str, Any]]:
    yield {"event": "done", "text": "x" * 9_000_000}


def environment(request: Request) -> Iterator[Mapping[str, Any]]:
    yield {"event": "done", "environment": dict(os.environ)}


def die(request: Request) -> Iterator[Mapping[str, Any]]:
    os.abort()
    yield {}


MISDEEDS: dict[str, Any] = {
    "echo": echo,
    "count": count_until_stopped,
    "silent": silent_until_stopped,
    "deaf": deaf,
    "hang": hang,
    "refuse": refuse,
    "fault": fault,
    "swallow memory": swallow_memory,
    "print": print_everywhere,
    "garbage": say(b"\xff\xfe {"),
    "no object": say(b"[1, 2]"),
    "no event": say(b'{"id": 1}'),
    "other id": say(b'{"id": 99, "event": "done"}'),
    "nested": say(b"[" * 100_000),
    "long line": long_line,
    "environment": environment,
    "die": die,
}


def load() -> tuple[Mapping[str, Any], Any]:
    mood = sys.argv[-1]
    if mood == "refuses":
        raise InputError("There is nothing to load.", code="TST-002", hint="Bring something.")
    if mood == "dies":
        os.abort()
    if mood == "sleeps":
        time.sleep(60)
    if mood == "yawns":
        time.sleep(0.5)
    if mood == "old":
        os.write(PIPE, b'{"event": "ready", "protocol": 0}\n')
    if mood == "babbles":
        os.write(PIPE, b"Welcome to libfoo 1.2\n")
    return {"mood": mood}, handle


if __name__ == "__main__":
    confine(int(sys.argv[sys.argv.index("--memory-bytes") + 1]))
    sys.exit(serve(load))
