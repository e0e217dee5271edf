"""`lumen init`, `lumen demo`, `lumen doctor` and `lumen about`."""

from pathlib import Path
from typing import Annotated

import typer

from lumen_desktop import __version__, paths
from lumen_desktop.app import DEMONSTRATION_NOTICE, SitePlace, add_starter_library, create_site, sites
from lumen_desktop.cli import output
from lumen_desktop.cli.library import followed
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.storage.keys import read_card

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (init, demo, doctor, about):
        app.command()(command)


def init(context: typer.Context) -> None:
    """Make a site of your own, encrypted under a passphrase, with the starter library; asking again completes one."""
    _finish(context, _made(_data(context, paths.own_site(sites())), demonstration=False))


def demo(context: typer.Context) -> None:
    """Make a demonstration site to try; asking again completes one that was interrupted."""
    _finish(context, _made(_data(context, paths.demonstration(sites())), demonstration=True))


def _made(data: Path, *, demonstration: bool) -> SitePlace:
    """The site of that kind in a folder: the one that is there, or a new one."""
    folder = DataFolder(data)
    if folder.holds_site and read_card(folder.key_file).demonstration == demonstration:
        return SitePlace(folder, demonstration)
    secret = output.passphrase(demonstration=demonstration, new=True)
    return create_site(data, secret, demonstration=demonstration)


def _data(context: typer.Context, otherwise: Path) -> Path:
    chosen: output.Chosen = context.obj
    return chosen.data or otherwise


def _finish(context: typer.Context, place: SitePlace) -> None:
    with output.site(context, writable=True, only_named=place) as site, output.interrupts(site.library.stop):
        report = followed(add_starter_library(site))
    output.text(intended_use())
    if place.demonstration:
        output.text(DEMONSTRATION_NOTICE)
    output.text(
        f"The site is in {place.folder.path}: {report.added} summaries added, {report.unchanged} there already."
    )
    output.text('Ask: lumen ask "Which batches must an investigation extend to when a batch fails its specification?"')
    if report.failed or report.stopped:
        raise typer.Exit(2)


def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Test every part on this computer; exit status 1 if one does not do its work."""
    with output.site(context, writable=True) as site:
        findings = []
        for finding in site.doctor.examine():
            findings.append(finding)
            if not as_json:
                output.text(f"{'ok ' if finding.good else 'BAD'}  {finding.check:<16} {finding.found}")
    good = all(finding.good for finding in findings)
    if as_json:
        checks = [{"check": f.check, "good": f.good, "found": f.found} for f in findings]
        output.result({"good": good, "checks": checks})
    if not good:
        raise typer.Exit(1)


def about() -> None:
    """Say what Lumen is for, its version and licences."""
    output.text(f"Lumen Desktop {__version__} (Apache-2.0)\n\n{intended_use()}")
    output.text(f"Licences of the models and parts: {paths.resources() / 'licences'}")


def intended_use() -> str:
    """The statement of intended use."""
    return (paths.resources() / "intended_use.txt").read_text(encoding="utf-8").strip()
