"""Sites with several people, and signing in at them."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lumen_desktop import app
from lumen_desktop.domain.accounts import Profile, Role
from lumen_desktop.errors import LumenError
from lumen_desktop.services.accounts import NewPerson
from lumen_desktop.services.authority import SignedIn
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.storage import audit
from tests.conftest import HOLDER, added, found_site, write_documents

ROLES = {role.value: frozenset({role}) for role in Role}
GIVEN = "a password given by the admin"
WORDS = {name: f"the {name} walks seven green dogs" for name in (*ROLES, "ada", "anna", "bert", "olga")}


def place_of(folder: Path) -> app.SitePlace:
    return app.find_site(folder)


def who(name: str, password: str = "", code: str = "") -> Credentials:
    return Credentials(name, password or WORDS[name], code)


@contextmanager
def signed_in(folder: Path, person: Credentials = HOLDER) -> Iterator[app.Site]:
    """The site, open for one person."""
    with app.opened(place_of(folder), person, purpose="tests", writable=True) as site:
        yield site


def add(folder: Path, name: str, roles: frozenset[Role], *, chosen: bool = True) -> None:
    """Adds a person, who then chooses a password of their own."""
    with signed_in(folder) as site:
        site.people.add(NewPerson(name, f"{name.title()} Person", roles), GIVEN)
    if chosen:
        with signed_in(folder, who(name, GIVEN)) as site:
            site.people.choose_password(GIVEN, WORDS[name])


def founded(folder: Path, profile: Profile) -> Path:
    """A site whose first admin is `HOLDER`, with one person for each duty."""
    found_site(folder, profile)
    for name, roles in ROLES.items():
        add(folder, name, roles)
    return folder


def code_of(job: Callable[[], object]) -> str:
    """The code of the refusal of a job."""
    with pytest.raises(LumenError) as caught:
        job()
    return caught.value.code


def events(folder: Path, act: str = "", person: Credentials = HOLDER) -> list[dict[str, Any]]:
    """What the trail says, as the holder reads it; only of an act."""
    with signed_in(folder, person) as site:
        return [event for event in site.audit.newest(None) if not act or event["act"] == act]


def last_denied(site: app.Site) -> tuple[str, str, str, str]:
    """Who was denied what as the last event: name, duties, act, code."""
    with site._database.reading() as session:
        (event,) = audit.events(session, newest=1)
    return event["actor"], event["role"], event["entity_id"], (event["after"] or {}).get("code", event["act"])


class Running:
    """Seconds of a machine's clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def period(site: app.Site, running: Running) -> SignedIn:
    """A signed-in period over a clock that a test moves."""
    return SignedIn(site._database, site.person.user_id, running)


def later(seconds: float) -> dt.timedelta:
    return dt.timedelta(seconds=seconds)


def ready_to_sign(folder: Path, *, also: tuple[str, ...] = ()) -> Path:
    """A GMP site whose officer, approver and clinician may sign, with documents that the officer brought.

    Args:
        folder: holds the site and the files.
        also: further QA officers who may sign.
    """
    site_folder = founded(folder / "site", Profile.GMP)
    for name in also:
        add(site_folder, name, frozenset({Role.OFFICER}))
    signers = (Role.OFFICER.value, Role.APPROVER.value, Role.CLINICIAN.value, *also)
    with signed_in(site_folder) as site:
        for name in signers:
            site.people.check_identity(name, "passport seen")
    for name in signers:
        with signed_in(site_folder, who(name)) as site:
            site.people.accept_accountability()
    with signed_in(site_folder, who(Role.OFFICER.value)) as site:
        added(site.library, *write_documents(folder / "files"))
    return site_folder
