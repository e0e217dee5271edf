"""The Ask screen: conversations, quotes that lead an answer, a model's commentary below them, and the question's field.

Shows what `services.chat` and `services.conversations` say and decides nothing. Knows no SQL and no model.
"""

from lumen_desktop.ui.chat.screen import SHORTCUTS, AskScreen

__all__ = ["SHORTCUTS", "AskScreen"]
