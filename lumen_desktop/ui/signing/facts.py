"""What stands beside a record's pages: the digest of what is signed, and each signature with all that it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from lumen_desktop.domain.accounts import Role
from lumen_desktop.ui.formatting import at_place
from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import Card, column, label

if TYPE_CHECKING:
    from lumen_desktop.services.signing import Signature

_GROUP = 8  # hexadecimal digits of a digest that the eye takes at once


class Facts(QWidget):
    """Digest and signatures of one record."""

    def __init__(self) -> None:
        super().__init__()
        self.digest = label("", "small", selectable=True)
        _monospaced(self.digest)
        self.signatures: QVBoxLayout = column()
        layout = column()
        for part in (label("What is signed, SHA-256", "strong"), self.digest):
            layout.addWidget(part)
        layout.addSpacing(SPACE)
        layout.addWidget(label("Signatures", "strong"))
        layout.addLayout(self.signatures)
        self.setLayout(layout)

    def show_record(self, sha256: str, signatures: Sequence[Signature]) -> None:
        """Takes the place of what was shown."""
        self.digest.setText(grouped(sha256))
        self.digest.setAccessibleName(f"SHA-256 of what is signed: {sha256}")
        while (item := self.signatures.takeAt(0)) is not None:
            if (shown := item.widget()) is not None:
                shown.hide()
                shown.deleteLater()
        for one in signatures:
            self.signatures.addWidget(SignatureCard(one))
        if not signatures:
            self.signatures.addWidget(label("Nobody has signed this yet.", "muted"))


class SignatureCard(Card):
    """One signature; one that does not hold any more says so first."""

    def __init__(self, signature: Signature) -> None:
        super().__init__()
        self.body.setSpacing(SPACE // 2)
        self.lines = lines(signature)
        for words, role in self.lines:
            self.body.addWidget(label(words, role, selectable=True))
        self.setAccessibleName(". ".join(words for words, _ in self.lines))


def lines(signature: Signature) -> list[tuple[str, str]]:
    """What is said of a signature, each line with its role in the style sheet. Source: 21 CFR 11.50(a)."""
    said = signature.statement
    found = [(f"Does not hold: {signature.flaw}", "danger")] if signature.flaw else []
    found += [
        (f"{said.printed_name} ({said.user_name})", "strong"),
        (duties(said.role), "small"),
        (f"{said.meaning.capitalize()}: {said.meaning.statement}", "body"),
    ]
    if said.reason:
        found.append((f"Reason: {said.reason}", "body"))
    return [*found, (at_place(said.time_utc, said.utc_offset_minutes), "small")]


def duties(roles: str) -> str:
    """Duties as people say them."""
    return ", ".join(Role(one).words if one in set(Role) else one for one in roles.split(","))


def grouped(digest: str) -> str:
    """A digest in groups that can be compared by eye, and that a line may end after."""
    return " ".join(digest[at : at + _GROUP] for at in range(0, len(digest), _GROUP))


def _monospaced(shown: QLabel) -> None:
    font = QFont(shown.font())
    font.setFamilies([QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()])
    shown.setFont(font)
