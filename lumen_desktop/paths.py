"""Where things are: resources that ship with the app, models, and the user's data folders.

Knows no file's content. Every layer above asks here, so that a packaged app, a checkout
and a test can each have their own places.
"""

import os
import sys
from pathlib import Path

import platformdirs


def resources() -> Path:
    """Folder of the data that ships with the app (library, prompts, drug names, models).

    A frozen app carries it beside its code; a checkout has it at the top level.
    """
    bundled = getattr(sys, "_MEIPASS", None)
    root = Path(bundled) if bundled else Path(__file__).resolve().parent.parent
    return root / "resources"


def models() -> Path:
    """Folder of the installed starter models; ``LUMEN_MODELS`` overrides it."""
    return Path(os.environ.get("LUMEN_MODELS") or resources() / "models")


def user_data() -> Path:
    """Folder that holds this user's sites, as the operating system wants it."""
    return Path(platformdirs.user_data_dir("Lumen Desktop", appauthor=False))


def own_site() -> Path:
    """Data folder of the user's own site."""
    return user_data() / "site"


def demonstration() -> Path:
    """Data folder of the demonstration site."""
    return user_data() / "demonstration"
