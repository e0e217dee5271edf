"""`lumen init`, `lumen demo`, `lumen doctor` and `lumen about`."""

from pathlib import Path
from typing import Annotated

import typer

from lumen_desktop import __version__, paths
from lumen_desktop.app import (
    DEMONSTRATION_NOTICE,
    SitePlace,
    add_starter_library,
    create_demonstration,
    create_site,
    find_site,
    sites,
    take_over,
)
from lumen_desktop.cli import credentials, output
from lumen_desktop.cli.library import followed
from lumen_desktop.domain.accounts import Profile
from lumen_desktop.errors import StorageError
from lumen_desktop.services.founding import Founding, first_admin
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.storage.folder import DataFolder, write_atomically
from lumen_desktop.storage.keys import read_card

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    for command in (init, demo, doctor, about):
        app.command()(command)


def init(
    context: typer.Context,
    name: Annotated[str | None, typer.Option("--name", help="Name of the site, as on its documents.")] = None,
    profile: Annotated[
        Profile, typer.Option("--profile", help="How strictly duties are kept apart.")
    ] = Profile.CLINICAL,
    printed_name: Annotated[str | None, typer.Option("--printed-name", help="Your name as under a signature.")] = None,
    recovery_file: Annotated[
        Path | None, typer.Option("--recovery-file", help="Write the recovery code there instead of showing it.")
    ] = None,
) -> None:
    """Make a site of your own with its first admin, or complete one; one with a passphrase gets its people."""
    credentials.refuse_passphrase()
    folder = DataFolder(_data(context, paths.own_site(sites())))
    place = _existing(folder)
    if place is not None and place.accounts and not place.demonstration:
        _finish(context, place)
        return
    chosen: output.Chosen = context.obj
    passphrase = None
    if place is not None and not place.accounts and not place.demonstration:
        passphrase = _passphrase(chosen)
    user = chosen.user or credentials.asked("Your user name", code="KEY-007", hint="Name it with --user.")
    begun = Founding(
        name or credentials.asked("Name of the site", code="KEY-007", hint="Give it with --name."),
        profile,
        [first_admin(user, printed_name or credentials.asked(
            "Your name as it stands under a signature", code="KEY-007", hint="Give it with --printed-name."), profile)],
        credentials.new_password(from_stdin=chosen.password_stdin),
    )  # fmt: skip
    if passphrase is not None and place is not None:
        place, code = take_over(place, passphrase, begun)
    else:
        place, code = create_site(folder.path, begun)
    hand_over(code, recovery_file)
    _finish(context, place, Credentials(user, begun.password))


def demo(context: typer.Context) -> None:
    """Make a demonstration site to try; asking again completes one that was interrupted."""
    credentials.refuse_passphrase()
    folder = DataFolder(_data(context, paths.demonstration(sites())))
    place = _existing(folder)
    if place is None or not place.demonstration:
        place = create_demonstration(folder.path)
    _finish(context, place)


def _existing(folder: DataFolder) -> SitePlace | None:
    """The site in a folder, if its making came to its end."""
    return find_site(folder.path) if folder.holds_site and read_card(folder.key_file).finished else None


def _passphrase(chosen: output.Chosen) -> str:
    """The passphrase that a site of a former version still has; the first line of standard input where that is read."""
    if chosen.password_stdin:
        return credentials.line_of_stdin()
    return credentials.asked(
        "The site's passphrase, for the last time", code="KEY-004", hint="Give it as first line with --password-stdin.",
        hidden=True,
    )  # fmt: skip


def hand_over(code: str, file: Path | None) -> None:
    """Shows the recovery code once, or writes it where it was asked for."""
    if file is None:
        output.text(
            f"Recovery code, shown once: {code}\nPrint it and lock it away: it opens the site when all else fails."
        )
        return
    try:
        write_atomically(file, (code + "\n").encode())
    except StorageError as error:  # the site is made; its code is never shown again
        output.refusal(error)
        hand_over(code, None)
        return
    output.line(f"The recovery code is in {file}. Who has it opens the site: print it, lock it away, delete the file.")


def _data(context: typer.Context, otherwise: Path) -> Path:
    chosen: output.Chosen = context.obj
    return chosen.data or otherwise


def _finish(context: typer.Context, place: SitePlace, person: Credentials | None = None) -> None:
    with (
        output.site(context, writable=True, only_named=place, person=person) as site,
        output.interrupts(site.starter_library.stop),
    ):
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
