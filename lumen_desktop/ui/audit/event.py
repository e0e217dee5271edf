"""One event beside the list: all that it says, and what it changed, field by field and word by word.

One text that can be read with the arrow keys, copied and read aloud; what was removed is struck out, what was added is
underlined, whatever their colours.
"""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
)
from PySide6.QtWidgets import QApplication, QFrame, QTextEdit

from lumen_desktop.app import Site
from lumen_desktop.domain.audit import Change, Difference
from lumen_desktop.errors import LumenError
from lumen_desktop.services.audit import Told
from lumen_desktop.ui import errors, tasks, theme
from lumen_desktop.ui.audit import words
from lumen_desktop.ui.audit.comparison import Part, compared, said
from lumen_desktop.ui.flow import Flow
from lumen_desktop.ui.formatting import number
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import announce, column, icon_button, label

_LOOKS = {"removed": ("danger", "danger_soft"), "added": ("success", "success_soft")}


class EventView(QFrame):
    """An event, asked for by its number."""

    closed = Signal()
    shown = Signal(int)  # the number of the event that is seen now, or refused

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self._reading: tasks.Task | None = None
        self.seq = 0  # of the event that is shown, or read
        self.setProperty("role", "panel")
        self.title, self.text = label("", "heading"), _EventText()
        head = Flow()
        head.add(self.title, grows=True)
        head.add(icon_button("x", "Close the event", self.closed.emit))
        layout = column(margin=2 * SPACE)
        layout.addLayout(head)
        layout.addWidget(self.text, 1)
        self.setLayout(layout)

    def show_event(self, seq: int) -> None:
        """Reads an event and shows it; of several wanted in a row only the last one."""
        if self._reading is not None:
            self._reading.drop()
        self.seq = seq
        self.title.setText(f"Event {number(seq)}")
        self.text.setAccessibleName(self.title.text())
        audit = self._site.audit
        self._reading = tasks.run(self, lambda: audit.event(seq), self._show, self._refused)
        self._reading.finished.connect(lambda: self.shown.emit(seq))

    def stop(self) -> None:
        """Nothing more is shown."""
        if self._reading is not None:
            self._reading.drop()

    def _show(self, told: Told) -> None:
        self.text.show_told(told)
        announce(self, f"{self.title.text()}: {told.fields['act']} {words.thing(told.fields)}")

    def _refused(self, error: LumenError) -> None:
        self.text.show_words(errors.sentence(error))
        announce(self, self.text.toPlainText())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Escape closes it."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)


class _EventText(QTextEdit):
    """The text of an event."""

    def __init__(self) -> None:
        super().__init__()
        self._told: Told | None = None
        self.setAccessibleName("Event")
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)
        self.setProperty("role", "text")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(SPACE // 2)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Writes it anew in the colours and the size of the theme that is used now."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self._told is not None:
            self.show_told(self._told)

    def show_words(self, sentence: str) -> None:
        """Shows why there is nothing to show."""
        self._told = None
        self.setPlainText(sentence)

    def show_told(self, told: Told) -> None:
        """Shows an event from its beginning."""
        self._told = told
        self.clear()
        writer = _Writer(self.textCursor())
        for name, value in facts(told.fields):
            writer.fact(name, value)
        writer.heading("What it changed" if told.differences else "It names no field that it changed")
        for one in told.differences:
            writer.difference(one)
        writer.heading("How it is chained")
        for name, value in chained(told.fields):
            writer.fact(name, value)
        self.moveCursor(QTextCursor.MoveOperation.Start)


def facts(event: dict[str, Any]) -> Sequence[tuple[str, str]]:
    """When, who, what and why, by name."""
    return (
        ("Time", f"{words.in_utc(event)} UTC"),
        ("On the clock there", words.at_the_time(event)),
        ("Who", f"{event['actor']}, as {words.duty(str(event.get('role', '')))}"),
        ("What", str(event["act"])),
        ("Of", words.thing(event)),
        ("Why", str(event["reason"]) or "no reason given"),
    )


def chained(event: dict[str, Any]) -> Sequence[tuple[str, str]]:
    """What holds it in its place, by name."""
    return (
        ("Written by", f"Lumen {event.get('app', '')}"),
        ("Digest (SHA-256)", str(event["hash"])),
        ("Digest of the event before", str(event["previous"])),
    )


class _Writer:
    """Writes paragraphs one after the other, as plain text whatever it holds."""

    def __init__(self, cursor: QTextCursor) -> None:
        self._cursor = cursor
        self._begun = False

    def fact(self, name: str, value: str) -> None:
        """A name, and below it what it stands for."""
        self._paragraph(above=SPACE)
        self._write(name, _look(colour="muted", size=0.88))
        self._paragraph()
        self._write(value)

    def heading(self, text: str) -> None:
        """What follows."""
        self._paragraph(above=2 * SPACE)
        self._write(text, _look(bold=True, size=1.1))

    def difference(self, one: Difference) -> None:
        """A field, and its value on the sides that it had one."""
        self._paragraph(above=1.5 * SPACE)
        self._write(one.field, _look(bold=True))
        self._write(f"  {one.change}", _look(colour="muted", size=0.88))
        before, after = said(one.before), said(one.after)
        if one.change is Change.CHANGED:
            left, right = compared(before, after)
        else:
            left, right = [Part(before, changed=False)], [Part(after, changed=False)]
        if one.change is not Change.ADDED:
            self._side("Before", left, "removed")
        if one.change is not Change.REMOVED:
            self._side("After", right, "added")

    def _side(self, name: str, parts: Sequence[Part], look: str) -> None:
        self._paragraph(above=SPACE / 2, left=2 * SPACE)
        self._write(f"{name}: ", _look(colour="muted", size=0.88))
        for part in parts:
            self._write(part.text, _marked(look) if part.changed else None)

    def _paragraph(self, *, above: float = 0, left: float = 0) -> None:
        shape = QTextBlockFormat()
        shape.setTopMargin(above if self._begun else 0)
        shape.setLeftMargin(left)
        if self._begun:
            self._cursor.insertBlock(shape, _look())
        else:
            self._cursor.setBlockFormat(shape)
        self._begun = True

    def _write(self, text: str, look: QTextCharFormat | None = None) -> None:
        self._cursor.insertText(text, look or _look())


def _look(*, colour: str = "text", bold: bool = False, size: float = 1.0) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setFontPointSize(QApplication.font().pointSizeF() * size)
    made.setForeground(theme.current().colour(colour))
    made.setFontWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return made


def _marked(kind: str) -> QTextCharFormat:
    """Struck out, or underlined and bold: not told by colour alone."""
    colour, ground = _LOOKS[kind]
    made = _look(colour=colour, bold=kind == "added")
    made.setBackground(QColor(theme.current().colour(ground)))
    made.setFontStrikeOut(kind == "removed")
    made.setFontUnderline(kind == "added")
    return made
