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
    """Folder that holds this user's sites unless the settings name another, as the operating system wants it."""
    return Path(platformdirs.user_data_dir("Lumen Desktop", appauthor=False))


def own_site(sites: Path) -> Path:
    """Data folder of the user's own site, in the folder that holds the sites."""
    return sites / "site"


def demonstration(sites: Path) -> Path:
    """Data folder of the demonstration site, in the folder that holds the sites."""
    return sites / "demonstration"


def settings_file() -> Path:
    """File of this user's settings; ``LUMEN_SETTINGS`` overrides it."""
    usual = Path(platformdirs.user_config_dir("Lumen Desktop", appauthor=False)) / "settings.json"
    return Path(os.environ.get("LUMEN_SETTINGS") or usual)
