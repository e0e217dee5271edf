"""Wrong passwords, kept beside the database because it is still closed when they are typed.

`site.attempts` counts them per account, under the key file's digest of a name, and keeps what the audit trail
has yet to be told; the next person who signs in tells it. It holds digests and times only. Of a name that nobody
has it holds three letters of the digest: people type their password there, and a whole digest would let it be
guessed. Who deletes the file takes the delays back, which a copy of the folder would not have had either: the
passwords themselves are what keeps a copy closed.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, datetime
from pathlib import Path
from typing import Any

import filelock

from lumen_desktop.domain.accounts import Lockout
from lumen_desktop.errors import StorageError
from lumen_desktop.storage.folder import unwritable, write_atomically

_MOST_UNTOLD = 1000
_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that was refused.

    Attributes:
        label: whose, as `KeyFile.label`; its first three letters where nobody has that name.
        time_utc: when.
        why: the refusal's code.
    """

    label: str
    time_utc: datetime
    why: str


class Attempts:
    """The file of one site."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "site.attempts"
        self._lock = filelock.FileLock(folder / "site.attempts.lock", mode=0o600)

    def lockout(self, label: str) -> Lockout:
        """How an account stands."""
        return self._read()[0].get(label, Lockout())

    def locked(self) -> dict[str, Lockout]:
        """All accounts with wrong passwords, by label."""
        return self._read()[0]

    def failed(self, attempt: Attempt, state: Callable[[Lockout], Lockout]) -> Lockout:
        """Keeps a refused attempt and the account's new state, and returns that."""
        with self._changing() as (lockouts, untold):
            lockouts[attempt.label] = state(lockouts.get(attempt.label, Lockout()))
            if len(untold) < _MOST_UNTOLD:
                untold.append(attempt)
        return lockouts[attempt.label]

    def clear(self, label: str) -> None:
        """Forgets an account's wrong passwords, after a right one or an admin's word."""
        if label in self._read()[0]:
            with self._changing() as (lockouts, _):
                lockouts.pop(label, None)

    def tell(self, told: Callable[[list[Attempt]], None]) -> None:
        """Hands over what was not told yet and forgets it afterwards; a kill in between tells it twice, not never."""
        if self._read()[1]:
            with self._changing() as (_, untold):
                told(list(untold))
                untold.clear()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[tuple[dict[str, Lockout], list[Attempt]]]:
        try:
            with self._lock.acquire(timeout=_WITHIN_S):
                lockouts, untold = self._read()
                yield lockouts, untold
                write_atomically(self._path, _encoded(lockouts, untold))
        except filelock.Timeout:
            raise StorageError(
                "Another program is signing in at this site.", code="STO-004", hint="Try again in a moment."
            ) from None
        except OSError as error:
            raise unwritable(self._path.parent, error) from error

    def _read(self) -> tuple[dict[str, Lockout], list[Attempt]]:
        """What the file says; one that is damaged says nothing."""
        try:
            fields = json.loads(self._path.read_bytes())
            lockouts = {label: _lockout(state) for label, state in fields["accounts"].items()}
            untold = [Attempt(str(e["label"]), _parsed(e["time_utc"]), str(e["why"])) for e in fields["untold"]]
        except (OSError, ValueError, ArithmeticError, KeyError, TypeError, AttributeError, RecursionError):
            return {}, []
        return lockouts, untold


def _lockout(state: dict[str, Any]) -> Lockout:
    until, last = (_parsed(state[name]) if state[name] else None for name in ("until_utc", "last_utc"))
    return Lockout(int(state["failures"]), until, last)


def _parsed(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None or time.year == MAXYEAR:  # such as nothing here writes, and nothing can compare or show
        raise ValueError
    return time


def _encoded(lockouts: dict[str, Lockout], untold: list[Attempt]) -> bytes:
    accounts = {
        label: {"failures": it.failures, "until_utc": _time(it.until_utc), "last_utc": _time(it.last_utc)}
        for label, it in lockouts.items()
    }
    attempts = [{"label": it.label, "time_utc": it.time_utc.isoformat(), "why": it.why} for it in untold]
    return json.dumps({"format": 1, "accounts": accounts, "untold": attempts}).encode()


def _time(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
