"""Sites come to be, and leave their passphrase, whole or not at all: killed at whichever step, they are begun again."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlmodel
from alembic import command
from sqlalchemy import text

from lumen_desktop import app
from lumen_desktop.domain.accounts import Profile, Role
from lumen_desktop.services import founding
from lumen_desktop.services.accounts import NewPerson
from lumen_desktop.services.founding import Founding, first_admin
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.storage import database as databases
from lumen_desktop.storage import keys, migrations
from lumen_desktop.storage.database import Database
from lumen_desktop.storage.folder import DataFolder
from lumen_desktop.storage.keys import RECOVERY, KeyFile
from tests.conftest import HOLDER, PASSWORD, Clock
from tests.services.people import code_of, signed_in
from tests.storage.conftest import KEY, first_format

PASSPHRASE = "the passphrase of former days"
CONVERSATION = """INSERT INTO conversation (title, salt, created_utc, pinned)
    VALUES ('Recalls', 'ab', '2026-01-02 03:04:05', 0)"""
EXCHANGE = """INSERT INTO exchange (conversation_id, salt, question, status, answer, commentary, notes, build_id,
    build_sha256, embedder_sha256, prompt_sha256, passage_ids, sampling, timing, asked_utc)
    VALUES (1, 'cd', 'What is a recall?', 'stopped', '', '', '[]', 'b', '', '', '', '[]', '{}', '{}',
    '2026-01-02 03:04:06')"""

pytestmark = pytest.mark.usefixtures("rehearsed", "clock")


def begun(name: str = "holder", profile: Profile = Profile.CLINICAL, **changes: Any) -> Founding:
    people = changes.pop("people", [first_admin(name, "Hilda Holder", profile)])
    return Founding(**{"name": "St Luke's", "profile": profile, "people": people, "password": PASSWORD, **changes})


def found(folder: Path, wanted: Founding | None = None) -> str:
    return founding.found(DataFolder(folder), wanted or begun(), clock=Clock(), is_demonstration=False)


def take_over(folder: Path, wanted: Founding | None = None, passphrase: str = PASSPHRASE) -> str:
    return founding.take_over(DataFolder(folder), passphrase, wanted or begun(), clock=Clock())


def former_site(folder: Path, passphrase: str = PASSPHRASE, *, demonstration: bool = False) -> Path:
    """A site as the versions before accounts made it, with two conversations."""
    folder.mkdir()
    fields = first_format(folder / "site.key", passphrase, demonstration=demonstration)
    database = Database(folder / "lumen.db", KEY, site_id=fields["site_id"], clock=Clock())
    with database._engine.begin() as connection:
        command.upgrade(migrations._config(connection), "0002")
        for statement in (CONVERSATION, EXCHANGE, CONVERSATION):
            connection.execute(text(statement))
    database.close()
    return folder


class Killed(BaseException):
    """The process ended here."""


@contextmanager
def killed_at(step: int, *, after: bool) -> Iterator[list[str]]:
    """Ends the process before or after a step that reaches the disk; the list tells the steps taken."""
    taken: list[str] = []

    def watched(name: str, job: Callable[..., Any]) -> Callable[..., Any]:
        def run(*values: Any, **named: Any) -> Any:
            if "lumen.holder" in str(values[:1]):
                return job(*values, **named)
            taken.append(name)
            if len(taken) == step + 1 and not after:
                raise Killed
            result = job(*values, **named)
            if len(taken) == step + 1:
                raise Killed
            return result

        return run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", watched("key file", Path.replace))
        patch.setattr(sqlmodel.Session, "commit", watched("commit", sqlmodel.Session.commit))
        patch.setattr(databases, "upgrade", watched("schema", migrations.upgrade))
        patch.setattr(DataFolder, "remove_databases", watched("removal", DataFolder.remove_databases))
        yield taken


def users(folder: Path, person: Credentials = HOLDER) -> dict[str, tuple[frozenset[Role], bool]]:
    with signed_in(folder, person) as site:
        assert site.audit.verify().first_bad is None
        return {it.user.name: (it.user.roles, it.user.active) for it in site.people.list()}


# --- a new site ---


def test_a_site_begins_with_its_first_admin_and_a_recovery_code(tmp_path: Path) -> None:
    code = found(tmp_path / "site")
    assert users(tmp_path / "site") == {"holder": (frozenset({Role.ADMIN, Role.CLINICIAN}), True)}
    assert KeyFile.read(tmp_path / "site" / "site.key").open(RECOVERY, code)
    assert len(code) == 39
    with signed_in(tmp_path / "site") as site:
        assert code not in str(site.audit.newest(None))
        assert not site.people.me().must_choose_password
        assert site.people.policy().site == "St Luke's"
    assert code_of(lambda: found(tmp_path / "site")) == "SIT-002"


def test_the_first_admin_of_a_gmp_site_has_no_other_duty(tmp_path: Path) -> None:
    found(tmp_path / "site", begun(profile=Profile.GMP))
    assert users(tmp_path / "site") == {"holder": (frozenset({Role.ADMIN}), True)}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (begun(name=""), "ACC-030"),
        (begun(people=[NewPerson("a\nb", "A", frozenset({Role.ADMIN}))]), "ACC-030"),
        (begun(password="too short"), "ACC-010"),
        (begun(password="hilda holder hilda"), "ACC-012"),
        (Founding("", Profile.GMP, [first_admin("a", "A", Profile.GMP)], PASSWORD), "ACC-039"),
        (Founding("S\u202et", Profile.GMP, [first_admin("a", "A", Profile.GMP)], PASSWORD), "ACC-039"),
        (Founding("S" * 101, Profile.GMP, [first_admin("a", "A", Profile.GMP)], PASSWORD), "ACC-039"),
    ],
)
def test_names_and_passwords_that_cannot_be_used_leave_nothing_behind(
    tmp_path: Path, wanted: Founding, code: str
) -> None:
    assert code_of(lambda: found(tmp_path / "site", wanted)) == code
    assert not (tmp_path / "site").exists()
    folder = former_site(tmp_path / "former")
    before = (folder / "site.key").read_bytes()
    assert code_of(lambda: take_over(folder, wanted)) == code
    assert (folder / "site.key").read_bytes() == before


def test_a_site_killed_at_whichever_step_is_begun_again(tmp_path: Path) -> None:
    steps = []
    for number in itertools.count():
        folder = tmp_path / f"site{number}"
        with killed_at(number // 2, after=bool(number % 2)) as taken:
            try:
                found(folder)
            except Killed:
                pass
            else:
                break
        steps.append(taken[-1])
        if DataFolder(folder).holds_site and not keys.read_card(folder / "site.key").finished:
            assert code_of(lambda: app.find_site(folder)) == "SIT-001"  # noqa: B023
        if number == 2 * len(taken) - 1 and taken[-1] == "key file" and number > 1:
            assert users(folder)["holder"][1]  # the last step was taken: the site is whole
            continue
        code = found(folder, begun(name="other"))
        assert users(folder, Credentials("other", PASSWORD)).keys() == {"other"}
        assert KeyFile.read(folder / "site.key").open(RECOVERY, code)
    assert steps[::2] == ["key file", "removal", "schema", "commit", "key file"]


def test_a_finished_site_whose_database_was_moved_is_never_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    found(folder)
    key_file = (folder / "site.key").read_bytes()
    for file in folder.glob("lumen.db*"):
        file.rename(tmp_path / file.name)
    assert code_of(lambda: found(folder)) == "SIT-002"
    assert code_of(lambda: app.create_demonstration(folder)) == "SIT-002"
    assert code_of(lambda: users(folder)) == "STO-007"
    assert (folder / "site.key").read_bytes() == key_file
    assert not (folder / "lumen.db").exists()
    for file in tmp_path.glob("lumen.db*"):
        file.rename(folder / file.name)
    assert users(folder)


def test_two_that_make_a_site_at_once_do_not_replace_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, create = tmp_path / "site", DataFolder.create

    def and_meanwhile(data: DataFolder) -> None:
        create(data)
        monkeypatch.setattr(DataFolder, "create", create)
        found(folder, begun(name="first"))

    monkeypatch.setattr(DataFolder, "create", and_meanwhile)
    assert code_of(lambda: found(folder, begun(name="second"))) == "SIT-002"
    assert users(folder, Credentials("first", PASSWORD)).keys() == {"first"}


# --- the demonstration ---


@pytest.mark.parametrize(
    ("name", "role"),
    [("pharmacist", Role.CLINICIAN), ("officer", Role.OFFICER), ("reviewer", Role.OFFICER),
     ("approver", Role.APPROVER), ("admin", Role.ADMIN)],
)  # fmt: skip
def test_the_demonstration_has_five_people_at_a_gmp_site(tmp_path: Path, name: str, role: Role) -> None:
    place = app.create_demonstration(tmp_path / "demo")
    assert place.demonstration
    with signed_in(tmp_path / "demo", Credentials(name, "demonstration")) as site:
        assert site.people.me().roles == {role}
        assert site.people.policy().profile is Profile.GMP
    assert len(users(tmp_path / "demo", Credentials("admin", "demonstration"))) == 5
    assert code_of(lambda: KeyFile.read(tmp_path / "demo" / "site.key").open(RECOVERY, "")) == "KEY-001"


# --- a site that had one passphrase ---


def test_a_site_with_a_passphrase_gets_its_people_and_keeps_what_it_had(tmp_path: Path) -> None:
    folder = former_site(tmp_path / "site")
    assert not app.find_site(folder).accounts
    assert code_of(lambda: users(folder)) == "SIT-003"
    place, code = app.take_over(app.find_site(folder), PASSPHRASE, begun())
    assert (place.accounts, app.find_site(folder).accounts) == (True, True)
    assert KeyFile.read(folder / "site.key").open(RECOVERY, code).key == KEY
    with signed_in(folder) as site:
        assert [it.title for it in site.conversations.list()] == ["Recalls", "Recalls"]
        assert site.conversations.exchanges(1)[0].question == "What is a recall?"
        (event,) = [it for it in site.audit.newest(None) if it["act"] == "adopted"]
        assert event["after"] == {"count": 2, "owner_id": 1}
        assert site.audit.verify().first_bad is None
    assert code_of(lambda: take_over(folder)) == "SIT-002"
    assert code_of(lambda: found(folder)) == "SIT-002"


def test_a_wrong_passphrase_changes_nothing(tmp_path: Path) -> None:
    folder = former_site(tmp_path / "site")
    before = {file.name: file.read_bytes() for file in folder.glob("*") if file.is_file()}
    assert code_of(lambda: take_over(folder, passphrase=PASSPHRASE + " ")) == "KEY-006"
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert code_of(lambda: found(folder)) == "SIT-002"


def test_a_take_over_killed_at_whichever_step_is_gone_on_with(tmp_path: Path) -> None:
    steps = []
    for number in itertools.count():
        folder = former_site(tmp_path / f"site{number}")
        with killed_at(number // 2, after=bool(number % 2)) as taken:
            try:
                take_over(folder)
            except Killed:
                pass
            else:
                break
        steps.append(taken[-1])
        if keys.read_card(folder / "site.key").accounts:
            assert taken == ["schema", "commit", "key file"]
        else:
            take_over(folder)
        assert users(folder) == {"holder": (frozenset({Role.ADMIN, Role.CLINICIAN}), True)}
        with signed_in(folder) as site:
            assert len(site.conversations.list()) == 2
    assert steps == ["schema", "schema", "commit", "commit", "key file", "key file"]


def test_after_kills_the_people_wanted_last_are_those_who_sign_in(tmp_path: Path) -> None:
    folder = former_site(tmp_path / "site")
    for name in ("anna", "bert"):
        with killed_at(2, after=False), pytest.raises(Killed):
            take_over(folder, replace(begun(name), name=f"Site of {name}"))
    take_over(folder, Founding("St Luke's", Profile.GMP, [NewPerson("ANNA", "Anna A.", frozenset({Role.ADMIN}))],
                               PASSWORD))  # fmt: skip
    anna = Credentials("anna", PASSWORD)
    found_people = users(folder, anna)
    assert found_people == {"anna": (frozenset({Role.ADMIN}), True),
                            "bert": (frozenset({Role.ADMIN, Role.CLINICIAN}), False)}  # fmt: skip
    with signed_in(folder, anna) as site:
        policy = site.people.policy()
        assert (policy.site, policy.profile, site.people.me().printed_name) == ("St Luke's", Profile.GMP, "Anna A.")
    assert code_of(lambda: users(folder, Credentials("bert", PASSWORD))) == "KEY-001"


def test_a_site_that_was_to_be_gmp_before_a_kill_is_gmp(tmp_path: Path) -> None:
    folder = former_site(tmp_path / "site")
    with killed_at(2, after=False), pytest.raises(Killed):
        take_over(folder, begun(profile=Profile.GMP))
    assert code_of(lambda: take_over(folder, begun())) == "ACC-032"
    take_over(folder, begun(profile=Profile.GMP))
    assert users(folder) == {"holder": (frozenset({Role.ADMIN}), True)}


def test_a_former_demonstration_gets_its_people_by_being_opened(tmp_path: Path) -> None:
    folder = former_site(tmp_path / "demo", "demonstration", demonstration=True)
    with app.opened(app.find_site(folder), app.DEMONSTRATION, purpose="tests", writable=False) as site:
        assert len(site.conversations.list()) == 2
        assert site.place.accounts
    assert len(users(folder, Credentials("admin", "demonstration"))) == 5


def test_a_former_site_whose_making_was_killed_is_completed(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    first_format(tmp_path / "site" / "site.key", PASSPHRASE)
    take_over(tmp_path / "site")
    assert users(tmp_path / "site")
