"""What a person gives to sign: a meaning, a reason where it needs one, user name and password.

Knows no service; `dialog` fills it and passes on what was typed. Nothing is filled in beforehand but a meaning that
is the only one, and the password is forgotten as soon as it was taken.
"""

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QPlainTextEdit, QRadioButton, QVBoxLayout, QWidget

from lumen_desktop.domain.signing import WITH_REASON, Meaning
from lumen_desktop.services.signing import Wish
from lumen_desktop.ui import theme
from lumen_desktop.ui.entrance import field, secret
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import column, fitted, label

_REASON_LINES = 3
_INDENT = 24  # pixels: below a radio button's words


class Form(QWidget):
    """Asks for what a signature needs."""

    changed = Signal()  # another meaning was chosen, or something typed
    given = Signal()  # Enter in the password: all was said

    def __init__(self) -> None:
        super().__init__()
        self.meanings: dict[Meaning, QRadioButton] = {}
        self._hindrances: dict[Meaning, str] = {}
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
        for part in (self.hindrance, self._reason_name, self.reason, self._user_name, self.user,
                     self._password_name, self.password):  # fmt: skip
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
        self._hindrances = dict(meanings)
        self.meanings = {meaning: self._choice(meaning) for meaning in meanings}
        self._needs_user = needs_user
        chosen = before if before in meanings else next(iter(meanings)) if len(meanings) == 1 else None
        if chosen is not None:
            self.meanings[chosen].setChecked(True)
        self._fit()

    def _choice(self, meaning: Meaning) -> QRadioButton:
        radio, sentence = QRadioButton(meaning.capitalize()), label(f"“{meaning.statement}”", "muted")
        radio.setAccessibleName(f"{meaning.capitalize()}: {meaning.statement}")
        sentence.setIndent(_INDENT)
        self._group.addButton(radio)
        self._choices.addWidget(radio)
        self._choices.addWidget(sentence)
        return radio

    def _fit(self) -> None:
        """Shows the fields that the chosen meaning needs, or why this person cannot give it."""
        meaning, why = self.meaning, self.why_not
        self.hindrance.setText(why)
        self.hindrance.setVisible(bool(why))
        asked = meaning is not None and not why
        rows: tuple[tuple[QWidget, QWidget, bool], ...] = (
            (self._reason_name, self.reason, meaning in WITH_REASON),
            (self._user_name, self.user, self._needs_user),
            (self._password_name, self.password, True),
        )
        for name, part, needed in rows:
            name.setVisible(asked and needed)
            part.setVisible(asked and needed)
        self.changed.emit()

    @property
    def meaning(self) -> Meaning | None:
        """What is chosen."""
        return next((meaning for meaning, radio in self.meanings.items() if radio.isChecked()), None)

    @property
    def why_not(self) -> str:
        """Why this person cannot sign what is chosen; with nothing chosen, why they cannot sign at all."""
        if self.meaning is not None:
            return self._hindrances[self.meaning]
        reasons = list(dict.fromkeys(self._hindrances.values()))
        return " ".join(reasons) if reasons and all(reasons) else ""

    @property
    def complete(self) -> bool:
        """Whether all is said that a signature needs."""
        if self.meaning is None or self.why_not or not self.password.text():
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
            first = next(iter(self.meanings.values()), first)
        elif not self.reason.isHidden() and not self.reason.toPlainText():
            first = self.reason
        elif not self.user.isHidden() and not self.user.text():
            first = self.user
        first.setFocus(Qt.FocusReason.OtherFocusReason)


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
