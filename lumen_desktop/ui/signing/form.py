"""What a person gives to sign: a meaning, a reason where it needs one, user name and password.

Knows no service; `dialog` fills it and passes on what was typed. Nothing is filled in beforehand but a meaning that
is the only one, and the password is forgotten as soon as it was taken.
"""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QLabel, QPlainTextEdit, QRadioButton, QVBoxLayout, QWidget

from lumen_desktop.domain.signing import WITH_REASON, Meaning
from lumen_desktop.services.signing import Wish
from lumen_desktop.ui import theme
from lumen_desktop.ui.entrance import field, secret
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import column, fitted, label

_REASON_LINES = 3
_TICK, _BESIDE = 16, 13  # pixels of a radio button's sign, and around it


class Form(QWidget):
    """Asks for what a signature needs."""

    changed = Signal()  # another meaning was chosen, or something typed
    gone_to = Signal(object)  # the keyboard is at this field now: it is to be seen
    given = Signal()  # Enter in the password: all was said

    def __init__(self) -> None:
        super().__init__()
        self.meanings: dict[Meaning, QRadioButton] = {}
        self._needs_user = True
        self._group = QButtonGroup(self)
        self.user, self.password, self.reason = field("User name"), secret("Password"), Reason()
        self.hindrance = label("", "warning", selectable=True)
        self._reason_name, self._user_name = label("Reason", "strong"), label("User name", "strong")
        self._password_name = label("Password", "strong")
        self._build()

    def _build(self) -> None:
        self._choices: QVBoxLayout = column(spacing=SPACE // 2)
        layout = column()
        layout.addWidget(label("What your signature says", "strong"))
        layout.addLayout(self._choices)
        layout.addWidget(self.hindrance)
        self._fields = (
            (self._reason_name, self.reason), (self._user_name, self.user), (self._password_name, self.password)
        )  # fmt: skip
        for name, part in self._fields:
            name.setContentsMargins(0, SPACE, 0, 0)
            layout.addWidget(name)
            layout.addWidget(part)
        self.setLayout(layout)
        self.user.returnPressed.connect(self.password.setFocus)
        self.password.returnPressed.connect(self.given)
        self._group.buttonToggled.connect(lambda *_: self._fit())
        for typed in (self.user, self.password, self.reason):
            typed.textChanged.connect(self.changed)

    def offer(self, meanings: Mapping[Meaning, str], *, needs_user: bool) -> None:
        """Offers meanings, each with why this person may not sign so; what was chosen and typed stays where it can."""
        before = self.meaning
        for radio in self.meanings.values():
            self._group.removeButton(radio)
        while (item := self._choices.takeAt(0)) is not None:
            if (shown := item.widget()) is not None:
                shown.hide()
                shown.deleteLater()
        self._needs_user = needs_user
        same = len(set(meanings.values())) == 1
        self.meanings = {meaning: self._choice(meaning, why, said=not same) for meaning, why in meanings.items()}
        self.hindrance.setText(next(iter(meanings.values())) if same else "")
        self.hindrance.setVisible(bool(self.hindrance.text()))
        open_ones = [meaning for meaning, why in meanings.items() if not why]
        chosen = before if before in open_ones else open_ones[0] if open_ones and len(meanings) == 1 else None
        if chosen is not None:
            self.meanings[chosen].setChecked(True)
        self._fit()

    def _choice(self, meaning: Meaning, why_not: str, *, said: bool) -> QRadioButton:
        """One meaning with its sentence; one that this person cannot give says why, unless that is said of all."""
        radio, sentence = QRadioButton(meaning.capitalize()), label(f"“{meaning.statement}”", "muted")
        radio.setAccessibleName(f"{meaning.capitalize()}: {meaning.statement}")
        radio.setAccessibleDescription(why_not)
        radio.setEnabled(not why_not)
        self._group.addButton(radio)
        self._choices.addWidget(radio)
        for words in (sentence, *([label(why_not, "warning", selectable=True)] if why_not and said else [])):
            _indent(words)
            self._choices.addWidget(words)
        return radio

    def _fit(self) -> None:
        """Shows the fields that the chosen meaning needs."""
        meaning = self.meaning
        for (name, part), needed in zip(self._fields, (meaning in WITH_REASON, self._needs_user, True), strict=True):
            name.setVisible(meaning is not None and needed)
            part.setVisible(meaning is not None and needed)
        self.changed.emit()

    @property
    def meaning(self) -> Meaning | None:
        """What is chosen."""
        return next((meaning for meaning, radio in self.meanings.items() if radio.isChecked()), None)

    @property
    def complete(self) -> bool:
        """Whether all is said that a signature needs."""
        if self.meaning is None or not self.password.text():
            return False
        named = bool(self.user.text().strip()) or not self._needs_user
        return named and (self.meaning not in WITH_REASON or bool(self.reason.toPlainText().strip()))

    def taken(self, shown_sha256: str) -> Wish:
        """What was given; the password is forgotten here.

        Args:
            shown_sha256: digest of what the person was shown.
        """
        assert self.meaning is not None
        user = self.user.text().strip() if self._needs_user else ""
        reason = self.reason.toPlainText() if self.meaning in WITH_REASON else ""
        wish = Wish(self.meaning, shown_sha256, user, self.password.text(), reason)
        self.password.clear()
        return wish

    def go_to_first(self) -> None:
        """Puts the keyboard where something is missing."""
        first: QWidget = self.password
        if self.meaning is None:
            first = next((radio for radio in self.meanings.values() if radio.isEnabled()), first)
        elif not self.reason.isHidden() and not self.reason.toPlainText():
            first = self.reason
        elif not self.user.isHidden() and not self.user.text():
            first = self.user
        first.setFocus(Qt.FocusReason.OtherFocusReason)
        self.gone_to.emit(first)


class Reason(QPlainTextEdit):
    """Why, in a few words; Enter and Tab go on to the next field."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Reason")
        self.setPlaceholderText("What happened, and why this follows from it")
        self.setTabChangesFocus(True)
        fitted(self, lambda: self.setFixedHeight(_REASON_LINES * theme.line_height() + 3 * SPACE))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """A reason is one paragraph."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.focusNextChild()
            return
        super().keyPressEvent(event)


def _indent(words: QLabel) -> None:
    """Puts words below those of a radio button."""
    fitted(words, lambda: words.setIndent(theme.icon_px(_TICK) + _BESIDE))
