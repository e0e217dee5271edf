"""What questions sound like and which words answer them, as data: topics, headings, templates, refusals."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def wording(name: str) -> Any:
    """The content of ``name.yaml`` beside this module."""
    return yaml.safe_load((files(__package__) / f"{name}.yaml").read_text(encoding="utf-8"))
