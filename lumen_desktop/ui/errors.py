"""The window's one presenter of refusals: sentence, hint and code, in the banner of the window that was worked in."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from lumen_desktop.errors import LumenError
from lumen_desktop.ui.widgets import Banner

BANNER = "refusals"  # object name of the banner that a window shows refusals in


def show(owner: QObject, error: LumenError) -> None:
    """Shows a refusal where the person is looking; in a box where the window has no banner for it."""
    window, banner = _place(owner)
    if banner is not None:
        banner.tell(sentence(error), kind="danger")
        return
    QMessageBox.warning(window, "Lumen", sentence(error))


def clear(owner: QObject) -> None:
    """Takes a refusal away that the next act of its kind makes old."""
    _, banner = _place(owner)
    if banner is not None and banner.words:
        banner.close_message()


def _place(owner: QObject) -> tuple[QWidget | None, Banner | None]:
    window = owner.window() if isinstance(owner, QWidget) else QApplication.activeWindow()
    banners = window.findChildren(Banner, BANNER) if window is not None else []
    return window, next((it for it in banners if it.window() is window), None)  # a dialog's own is not the window's


def sentence(error: LumenError) -> str:
    """A refusal as people read it."""
    return f"{error.message} {error.hint} ({error.code})"
