"""What stands where a conversation will be: how to begin, with questions that can be clicked; or where documents go."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from lumen_desktop.ui.theme import SPACE
from lumen_desktop.ui.widgets import CardButton, EmptyState, button, column, label, picture

SAMPLES = (
    "How long must reserve samples of a drug product be kept?",
    "What does the quality control unit approve or reject?",
    "When is a field alert report due?",
)
_PICTURE = 40  # pixels


def begin(ask: Callable[[str], object]) -> QWidget:
    """An invitation to ask, with sample questions about the starter library."""
    made = QWidget()
    layout = column(spacing=SPACE)
    layout.addStretch(2)
    layout.addWidget(picture("quote", "accent", _PICTURE), alignment=Qt.AlignmentFlag.AlignHCenter)
    for words, role in (
        ("Ask your library", "title"),
        (
            "The answer leads with sentences quoted word for word, each with its place. Nothing leaves this computer.",
            "muted",
        ),
    ):
        told = label(words, role)
        told.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(told)
    layout.addSpacing(2 * SPACE)
    layout.addWidget(label("For example", "small"))
    for question in SAMPLES:
        layout.addWidget(_sample(question, ask))
    layout.addStretch(3)
    made.setLayout(layout)
    made.setAccessibleName("Ask your library. Sample questions follow.")
    return made


def _sample(question: str, ask: Callable[[str], object]) -> CardButton:
    made = CardButton("sample", margin=SPACE * 3 // 2)
    made.body.addWidget(label(question))
    made.setAccessibleName(question)
    made.setToolTip("Ask this")
    made.clicked.connect(lambda _checked: ask(question))
    return made


def empty_library(open_library: Callable[[], object]) -> QWidget:
    """Where there is nothing to ask yet."""
    go = button("Open the library", open_library, role="primary", icon="library")
    return EmptyState(
        "library",
        "Your library is empty",
        "Answers come from your own documents only. Add some, then ask.",
        go,
    )
