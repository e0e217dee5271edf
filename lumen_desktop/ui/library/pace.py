"""How fast an import goes and how long it will still take, from what its last seconds brought.

Knows no widget and no clock: whoever feeds it says when.
"""

from collections import deque

WINDOW_S = 20.0  # long enough to be steady, short enough to follow a change of files
_SHORTEST_S = 1.5  # before that a rate says nothing


class Pace:
    """The last seconds of an import.

    Attributes:
        passages: embedded in all since the start.
    """

    def __init__(self) -> None:
        self.passages = 0
        self._points: deque[tuple[float, int, float]] = deque()

    def note(self, now_s: float, share: float, *, passages: int) -> None:
        """Takes down a moment.

        Args:
            now_s: on any clock that only goes forward.
            share: of all the work that is done, 0 to 1.
            passages: embedded since the last note.
        """
        self.passages += passages
        self._points.append((now_s, self.passages, share))
        while now_s - self._points[0][0] > WINDOW_S and len(self._points) > 2:  # noqa: PLR2004 - two make a rate
            self._points.popleft()

    @property
    def passages_per_s(self) -> float | None:
        """Passages a second; None while too little is known."""
        seconds = self._seconds()
        if seconds is None:
            return None
        return (self._points[-1][1] - self._points[0][1]) / seconds

    @property
    def left_s(self) -> float | None:
        """Seconds that are left at this pace; None while too little is known."""
        seconds = self._seconds()
        done = self._points[-1][2] - self._points[0][2] if self._points else 0.0
        if seconds is None or done <= 0:
            return None
        return (1 - self._points[-1][2]) * seconds / done

    def _seconds(self) -> float | None:
        seconds = self._points[-1][0] - self._points[0][0] if self._points else 0.0
        return seconds if seconds >= _SHORTEST_S else None
