"""The only way off the interface's thread: `run` for one result, `stream` for many.

Work happens in a thread of its own; results come back as queued signals to the interface's thread, in order, and
are dropped when their owner is gone or the task was dropped. A refusal goes to `failed`, else to the presenter in
`errors`; anything else is a bug and goes to `sys.excepthook`. Services know nothing of this.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from lumen_desktop.errors import LumenError, Stopped
from lumen_desktop.ui import errors

Result = TypeVar("Result")
Event = TypeVar("Event")
Failed = Callable[[LumenError], None]
_THREAD = "task"


class Task(QObject):
    """One piece of work under way; ``finished`` comes last, whatever happened.

    Args:
        owner: whose life bounds it: when the owner is destroyed nothing more is delivered.
    """

    finished = Signal()
    _arrived = Signal(object, object)

    def __init__(self, owner: QObject) -> None:
        super().__init__()  # no child: Qt would delete it with its owner while its thread speaks through it
        self._dropped = self._orphaned = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        _running.add(self)
        owner.destroyed.connect(self._orphan)

    def drop(self) -> None:
        """Delivers nothing more; the work itself ends by its service's own ``stop``."""
        self._dropped = True

    def _start(self, work: Callable[["Task"], None]) -> None:
        threading.Thread(target=self._work, args=(work,), name=_THREAD, daemon=True).start()

    def _work(self, work: Callable[["Task"], None]) -> None:
        try:
            work(self)
        finally:
            self._arrived.emit(self._end, None)

    @Slot()
    def _orphan(self) -> None:
        """The owner is gone: nothing is delivered, not even the end."""
        self._dropped = self._orphaned = True

    def _send(self, receiver: Callable[..., Any], value: object) -> bool:
        """Hands a value to the interface's thread; False when nobody wants it any more."""
        if self._dropped:
            return False
        self._arrived.emit(receiver, value)
        return True

    @Slot(object, object)
    def _deliver(self, receiver: Callable[..., Any], value: object) -> None:
        if receiver == self._end:
            self._end(None)
        elif not self._dropped:
            receiver(value)

    def _end(self, _: object) -> None:
        _running.discard(self)
        if not self._orphaned:
            self.finished.emit()
        self.deleteLater()


_running: set[Task] = set()  # a task without another reference would be collected while its thread works


def run(
    owner: QObject, work: Callable[[], Result], done: Callable[[Result], None], failed: Failed | None = None
) -> Task:
    """Runs a function off the interface's thread.

    Args:
        owner: usually the widget that wants the result.
        work: called once in another thread.
        done: called with its result in the interface's thread.
        failed: called with a refusal instead; None shows it with the presenter. A stop is no refusal: it ends quietly.
    """
    task = Task(owner)
    refused = failed or _presented(owner)

    def once(running: Task) -> None:
        _guarded(running, refused, lambda: running._send(done, work()))  # noqa: SLF001 - this module's own

    task._start(once)  # noqa: SLF001
    return task


def stream(
    owner: QObject, events: Callable[[], Iterator[Event]], each: Callable[[Event], None], failed: Failed | None = None
) -> Task:
    """Runs a generator off the interface's thread; ``each`` gets its events in order, ``Task.finished`` ends it.

    A generator nobody listens to any more is closed, so that a service can store what it had.
    """
    task = Task(owner)
    refused = failed or _presented(owner)

    def through(running: Task) -> None:
        source = events()
        try:
            for event in source:
                if not running._send(each, event):  # noqa: SLF001 - this module's own
                    break
        finally:
            close = getattr(source, "close", None)
            if close is not None:
                close()

    task._start(lambda running: _guarded(running, refused, lambda: through(running)))  # noqa: SLF001
    return task


def settle(timeout_s: float = 10.0) -> bool:
    """Waits for the threads of all tasks, as at the end of the program; True when none is left.

    Their last results are not delivered by this: the event loop does that. A task whose end was delivered may still
    have its thread on the way out; Python must not end before it, or Qt ends the process with a crash.
    """
    deadline = time.monotonic() + timeout_s
    threads = [thread for thread in threading.enumerate() if thread.name == _THREAD]
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def _guarded(running: Task, refused: Failed, work: Callable[[], object]) -> None:
    try:
        work()
    except Stopped:
        return
    except LumenError as error:
        running._send(refused, error)  # noqa: SLF001 - this module's own
    except Exception:  # noqa: BLE001 - a bug: told like one on the interface's own thread
        sys.excepthook(*sys.exc_info())


def _presented(owner: QObject) -> Failed:
    return lambda error: errors.show(owner, error)
