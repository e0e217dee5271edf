"""Commentary as it streams: only the open block is drawn again, nothing named in it is loaded, the window goes on."""

import random
import time
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import cast

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtGui import QTextBlock, QTextCharFormat, QTextDocument, QTextTable
from pytestqt.qtbot import QtBot

from lumen_desktop.domain.chat import Answer, Exchange, Status
from lumen_desktop.ui import tasks, theme
from lumen_desktop.ui.chat.commentary import Commentary
from lumen_desktop.ui.chat.exchange import ExchangeView
from lumen_desktop.ui.chat.markdown import TABLE_STRETCH, blocks
from lumen_desktop.ui.chat.thread import Thread

HOSTILE = """<img src="file:///etc/passwd"> <script>alert(1)</script> <a href="https://example.org">x</a>

![x](file:///etc/passwd) ![y](https://example.org/pixel.png) [z](file:///etc/passwd)

| <b>a</b> | ![x](file:///etc/passwd) |
|---|---|
| <iframe src=x> | <style>*{display:none}</style> |
"""


def answer_of(tokens: int) -> str:
    """A Markdown answer of about so many tokens, with lists and a table."""
    chance = random.Random(3)
    vocabulary = "batch record review release sample limit retained within days unit quality **approved** `OOS`".split()

    def some(count: int) -> str:
        return " ".join(chance.choice(vocabulary) for _ in range(count))

    parts: list[str] = []
    while sum(len(part.split()) for part in parts) < tokens:
        parts += [f"## {some(4)}", some(90), *[f"- {some(14)}" for _ in range(5)]]
        if len(parts) in {14, 140}:
            parts += [
                "\n".join(
                    ["| step | who | when |", "|---|---|---|", *([f"| {some(4)} | {some(2)} | {some(3)} |"] * 30)]
                )
            ]
    return "\n\n".join(parts)


def styles(block: QTextBlock) -> list[QTextCharFormat]:
    return [each.fragment().charFormat() for each in cast("Iterable[QTextBlock.iterator]", block)]


@pytest.fixture
def commentary(qtbot: QtBot) -> Commentary:
    made = Commentary()
    qtbot.addWidget(made)
    made.resize(700, 100)
    made.show()
    return made


def tables(document: QTextDocument) -> list[QTextTable]:
    return [frame for frame in document.rootFrame().childFrames() if isinstance(frame, QTextTable)]


def test_hostile_markdown_is_shown_as_text_and_loads_nothing(
    commentary: Commentary, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[object] = []
    monkeypatch.setattr(
        type(commentary.document()), "loadResource", lambda _self, kind, name: asked_for.append((kind, name))
    )
    commentary.end(HOSTILE)
    commentary.grab()
    assert not asked_for
    shown = commentary.toPlainText()
    for part in ("<img src=", "<script>", "x (file:///etc/passwd)", "<iframe src=x>", "z (file:///etc/passwd)"):
        assert part in shown
    block = commentary.document().begin()
    while block.isValid():
        for style in styles(block):
            assert not style.isAnchor()
            assert not style.isImageFormat()
        block = block.next()


def test_finished_blocks_are_left_alone(commentary: Commentary) -> None:
    text = answer_of(1500)
    words = text.split(" ")
    for place in range(0, len(words), 5):
        commentary.add(" ".join(words[place : place + 5]) + " ")
        commentary.draw()
    commentary.end(text + " ")
    starts = [block.start for block in blocks(text)]
    assert list(commentary.drawn) == starts
    for block, following in pairwise(starts):
        longest = (following - block) / 10 + 3  # drawn only while it was open
        assert commentary.drawn[block] <= longest


def test_streamed_and_whole_look_the_same(commentary: Commentary, qtbot: QtBot) -> None:
    text = answer_of(900)
    for place in range(0, len(text), 37):
        commentary.add(text[place : place + 37])
        commentary.draw()
    commentary.end(text)
    whole = Commentary()
    qtbot.addWidget(whole)
    whole.resize(commentary.size())
    whole.show()
    whole.end(text)
    assert commentary.toPlainText() == whole.toPlainText()
    assert len(tables(commentary.document())) == len(tables(whole.document())) == -(-31 // TABLE_STRETCH)
    assert commentary.height() == whole.height() > 1000


def test_what_came_is_gathered_before_it_is_drawn(commentary: Commentary, qtbot: QtBot) -> None:
    for word in "one two three four".split():
        commentary.add(f" {word}")
    assert not commentary.toPlainText()
    qtbot.waitUntil(lambda: commentary.toPlainText() == "one two three four", timeout=2000)
    assert commentary.drawn == {0: 1}


def test_another_theme_draws_it_again_in_its_colours(commentary: Commentary, qtbot: QtBot, qapp: object) -> None:
    commentary.end("`code`\n\n|a|b|\n|-|-|\n|1|2|")
    before = commentary.toPlainText()
    theme.apply(qapp, "dark")  # type: ignore[arg-type]
    qtbot.wait(10)
    assert commentary.toPlainText() == before
    (style,) = styles(commentary.document().begin())
    assert style.background().color() == theme.current().colour("sunken")


@pytest.mark.alone
def test_the_window_goes_on_while_eight_thousand_tokens_stream(qtbot: QtBot) -> None:
    """Streams faster than a model would, so that the test is short; its limits leave room for a busy machine."""
    thread = Thread()
    qtbot.addWidget(thread)
    thread.resize(900, 700)
    thread.show()
    empty = Answer(Status.OPEN, "", (), "", (), "", "", 0, 0)
    view = thread.add(ExchangeView(Exchange("Why?", empty), under_way=True, prose=True))
    text = answer_of(8000)
    pieces = [text[place : place + 60] for place in range(0, len(text), 60)]

    def stream() -> Iterator[str]:
        for piece in pieces:
            time.sleep(0.004)
            yield piece

    late_s: list[float] = []
    due = [time.perf_counter()]

    def beat() -> None:
        late_s.append(time.perf_counter() - due[0])
        due[0] = time.perf_counter() + 0.01

    timer = QTimer(thread, interval=10)
    timer.timeout.connect(beat)
    timer.start()

    def show(piece: str) -> None:
        commentary = view._commenting()
        commentary.add(piece)

    task = tasks.stream(thread, stream, show)
    with qtbot.waitSignal(task.finished, timeout=60_000):
        pass
    timer.stop()
    assert view.commentary is not None
    view.commentary.end(text)
    late_s.sort()
    assert late_s[len(late_s) // 2] < 0.05
    assert late_s[-1] < 1.0
