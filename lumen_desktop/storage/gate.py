"""Who is in a database now, of the threads of this process: many together, or one alone.

Knows no database. `database` asks it, so that nobody opens a file that is being replaced.
"""

import contextlib
import threading
from collections.abc import Iterator

from lumen_desktop.errors import StorageError

_LEAVE_WITHIN_S = 5.0


class Gate:
    """Lets many in, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._taken = False

    @contextlib.contextmanager
    def together(self, *, waits: bool = True) -> Iterator[None]:
        """In with others, after who is alone has left.

        Raises:
            StorageError: somebody is alone in it and `waits` is false (STO-004).
        """
        with self._changed:
            if self._taken and not waits:
                raise in_use()
            self._changed.wait_for(lambda: not self._taken)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """In with nobody, after the others have left.

        Raises:
            StorageError: some do not (STO-004).
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._inside and not self._taken, _LEAVE_WITHIN_S):
                raise in_use()
            self._taken = True
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()


def in_use() -> StorageError:
    """The refusal while another is in the database."""
    return StorageError(
        "Another program is writing to this site.", code="STO-004", hint="Wait until it has finished, then try again."
    )
