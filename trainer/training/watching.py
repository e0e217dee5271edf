"""How a run goes, for who looks on: the terminal's line, `progress.jsonl`, and now and then `progress.html`.

Knows figures only; `trainer.training.loop` tells it of each step. What a run that was killed wrote after its last
checkpoint is cut away when it goes on, so that every step stands once.
"""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from trainer.lines import refused_if_unwritable
from trainer.training.page import page

LINES, PAGE = "progress.jsonl", "progress.html"
PAGE_SECONDS = 20.0
Told = Callable[[str, int, int], None]


class Watch:
    """The progress of one run.

    Args:
        folder: where its files lie.
        title: of the page.
        steps: that the whole run has.
        from_step: steps made before; later lines are cut away.
        told: shows a stage, the steps done and the steps there are.
    """

    def __init__(self, folder: Path, *, title: str, steps: int, from_step: int, told: Told) -> None:
        self.folder, self.title, self.steps, self._told = folder, title, steps, told
        self.lines = [one for one in _read(folder / LINES) if one["step"] <= from_step]
        self._before_s = float(self.lines[-1]["seconds"]) if self.lines else 0.0
        self._from_step, self._begun, self._drawn = from_step, time.monotonic(), -math.inf
        with refused_if_unwritable(folder / LINES):
            folder.mkdir(parents=True, exist_ok=True)
            part = folder / f"{LINES}.part"
            part.write_text("".join(_line(one) for one in self.lines), encoding="utf-8", newline="\n")
            part.replace(folder / LINES)
            self._file: IO[str] = (folder / LINES).open("a", encoding="utf-8", newline="\n")

    @property
    def seconds(self) -> float:
        """Trained so far, all sessions."""
        return self._before_s + time.monotonic() - self._begun

    @property
    def tokens(self) -> int:
        """Trained on so far, without padding, all sessions."""
        return int(next((one["tokens"] for one in reversed(self.lines) if "tokens" in one), 0))

    def step(self, step: int, *, loss: float, tokens: int, step_s: float, **more: float) -> None:
        """One optimiser step is done.

        Args:
            step: its number, from 1.
            loss: mean over its learnt tokens.
            tokens: that it held, without padding.
            step_s: how long it took.
            **more: grad_norm, learning_rate, memory_gb, waiting_s (for data, of ``step_s``).
        """
        passed = time.monotonic() - self._begun
        left = passed / max(1, step - self._from_step) * (self.steps - step)
        self._add(
            step=step, loss=loss, tokens=self.tokens + tokens, tokens_per_s=tokens / max(step_s, 1e-9), step_s=step_s,
            seconds_left=left, **more,
        )  # fmt: skip
        rate, memory = tokens / max(step_s, 1e-9), more.get("memory_gb", 0.0)
        words = f"training  loss {loss:.3f}  {rate:,.0f} tokens/s  {memory:.1f} GB  {_duration(left)} left"
        self._told(words, step, self.steps)

    def validated(self, step: int, loss: float, *, taken_s: float) -> None:
        """Validation was looked at after a step; ``loss`` is the mean over its learnt tokens."""
        self._add(step=step, validation_loss=loss, taken_s=taken_s)

    def draw(self, *, ended: str = "") -> None:
        """Writes the page; ``ended`` is a sentence once the run is over."""
        part = self.folder / f"{PAGE}.part"
        with refused_if_unwritable(self.folder / PAGE):
            part.write_text(page(self.lines, title=self.title, steps=self.steps, ended=ended), encoding="utf-8")
            part.replace(self.folder / PAGE)
        self._drawn = time.monotonic()

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()

    def _add(self, **fields: float) -> None:
        line = {**fields, "seconds": round(self.seconds, 3)}
        self.lines.append(line)
        with refused_if_unwritable(self.folder / LINES):
            self._file.write(_line(line))
            self._file.flush()
        if time.monotonic() - self._drawn >= PAGE_SECONDS:
            self.draw()


def _line(fields: dict[str, Any]) -> str:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")) + "\n"


def _read(path: Path) -> list[dict[str, Any]]:
    """Whole lines up to the first that is torn: a killed run may leave half of one."""
    found: list[dict[str, Any]] = []
    if not path.is_file():
        return found
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            one = json.loads(line)
            one["step"], one["seconds"]
        except (ValueError, KeyError, TypeError):
            break
        found.append(one)
    return found


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min {int(seconds % 60):02d} s"  # noqa: PLR2004
