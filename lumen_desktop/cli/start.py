"""What `python -m lumen_desktop` does without a command where no window can be shown: open a site and ask."""

import sys
from pathlib import Path

from lumen_desktop import paths
from lumen_desktop.app import (
    DEMONSTRATION_NOTICE,
    Site,
    SitePlace,
    add_starter_library,
    create_demonstration,
    find_site,
    has_starter_library,
    opened,
    sites,
)
from lumen_desktop.cli import ask, credentials, output
from lumen_desktop.cli.library import followed
from lumen_desktop.cli.site import intended_use
from lumen_desktop.errors import InputError

SAMPLE = "Which batches must an investigation extend to when a batch fails its specification?"


def start(data: Path | None = None) -> int:
    """Opens the user's site, else the demonstration, which is made where there is none; then asks.

    In a terminal a conversation follows; elsewhere one sample question is answered.

    Args:
        data: data folder of the site; None looks for it.

    Returns:
        The exit status: 0.
    """
    output.settings()
    place = _place(data)
    if place.demonstration:
        output.line(DEMONSTRATION_NOTICE)
    person = credentials.of(place, user=None, from_stdin=False)
    with opened(place, person, purpose="lumen", writable=True) as site:
        if place.demonstration and not has_starter_library(site):
            with output.interrupts(site.starter_library.stop):
                followed(add_starter_library(site))
        output.text(intended_use() + "\n")
        _ask(site)
    return 0


def _place(data: Path | None) -> SitePlace:
    try:
        return find_site(data)
    except InputError:
        output.line("Making the demonstration site: this takes about half a minute, once.")
        return create_demonstration(data or paths.demonstration(sites()))


def _ask(site: Site) -> None:
    if sys.stdin.isatty():
        ask.converse(site, None, prose=site.settings.prose)
        return
    output.text(f"Question: {SAMPLE}")
    ask.answered(site, SAMPLE, None, prose=site.settings.prose)
    output.text('\nAsk your own: .venv/bin/lumen ask "…" (on Windows .venv\\Scripts\\lumen).')
