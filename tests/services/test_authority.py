"""What each duty may do, asked through the services themselves; every refusal leaves an event."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lumen_desktop import app
from lumen_desktop.domain.accounts import PROGRAM, Profile, Role, SessionLimits
from lumen_desktop.domain.library import Kind
from lumen_desktop.domain.permissions import Act, Reach
from lumen_desktop.domain.signing import Meaning
from lumen_desktop.errors import AccessError, InputError, LumenError, StorageError
from lumen_desktop.services.accounts import NewPerson
from lumen_desktop.services.authority import NOBODY, Housekeeping
from lumen_desktop.services.signing import Wish
from lumen_desktop.storage import accounts
from lumen_desktop.storage.accounts import SiteRow, UserRow
from tests.conftest import HOLDER, Clock, added, write_documents
from tests.rehearsal import RehearsalSite
from tests.services.conftest import DOSE_QUESTION, ask
from tests.services.people import (
    GIVEN,
    ROLES,
    WORDS,
    Running,
    add,
    code_of,
    events,
    founded,
    last_denied,
    period,
    signed_in,
    who,
)

WHY = "the duties of this person changed"
Job = Callable[[app.Site, Path], object]


def _first(site: app.Site) -> int:
    return site.starter_library.documents()[0].id


def _conversation(number: int) -> dict[str, Job]:
    """Jobs on the conversation of a number, which another person began."""
    return {
        "show": lambda site, _: site.conversations.conversation(number),
        "exchanges": lambda site, _: site.conversations.exchanges(number),
        "rename": lambda site, _: site.conversations.rename(number, "mine"),
        "pin": lambda site, _: site.conversations.pin(number, True),  # noqa: FBT003
        "delete": lambda site, _: site.conversations.delete(number),
        "restore": lambda site, _: site.conversations.restore(number),
        "ask in it": lambda site, _: list(site.chat.ask("What?", conversation_id=number)),
        "answer": lambda site, _: site.chat.record(number),
    }


def _signs(site: app.Site, meaning: Meaning) -> None:
    """All of signing but name and password, on a document that is reviewed for its approval, or on one that is not."""
    number = _first(site) if meaning is Meaning.APPROVED else site.starter_library.documents()[1].id
    site.signing.check(site.releases.record(number), meaning)


def _could(job: Callable[..., object], *values: object) -> None:
    """A job that is permitted; what it lacks besides is not asked here."""
    try:
        job(*values)
    except LumenError as error:
        if error.code not in {"SIG-001", "AUD-013"}:
            raise


# Letters: x denied, + allowed; in the order clinician, officer, approver, admin; GMP, then clinical.
JOBS: dict[str, tuple[Job, Act, str, str]] = {
    "ask": (lambda site, _: ask(site, DOSE_QUESTION), Act.ASK, "+++x", "+++x"),
    "list conversations": (lambda site, _: site.conversations.list(), Act.KEEP_CONVERSATIONS, "+++x", "+++x"),
    "list documents": (lambda site, _: site.library.documents(), Act.READ_LIBRARY, "++++", "++++"),
    "search": (
        lambda site, _: site.library.search("recall", collection=None, most=3), Act.READ_LIBRARY, "++++", "++++"),
    "source": (lambda site, _: site.sources.open(1), Act.READ_LIBRARY, "++++", "++++"),
    "page": (lambda site, _: site.sources.page(1, 1, width_px=None), Act.READ_LIBRARY, "++++", "++++"),
    "extracted text": (lambda site, _: site.sources.texts(1), Act.READ_LIBRARY, "++++", "++++"),
    "passages": (lambda site, _: site.sources.passages_on(1, 1), Act.READ_LIBRARY, "++++", "++++"),
    "index": (lambda site, _: list(site.library.reindex()), Act.READ_LIBRARY, "++++", "++++"),
    "self-test": (lambda site, _: next(site.doctor.examine()), Act.RUN_SELF_TEST, "++++", "++++"),
    "add": (lambda site, files: added(site.library, files / "cleaning.txt"), Act.ADD_DOCUMENTS, "++xx", "++xx"),
    "sign as reviewer": (lambda site, _: _could(_signs, site, Meaning.REVIEWED), Act.SIGN_AS_REVIEWER, "x++x", "x++x"),
    "release": (lambda site, _: _could(_signs, site, Meaning.APPROVED), Act.RELEASE_DOCUMENTS, "xx+x", "+++x"),
    "review the trail": (lambda site, _: site.reviews.of_trail("nothing"), Act.REVIEW_AUDIT, "x++x", "x+++"),
    "review access": (lambda site, _: site.reviews.of_access("nothing"), Act.REVIEW_ACCESS, "x++x", "x+++"),
    "export the trail": (
        lambda site, _: site.audit.export(io.BytesIO(), "csv"), Act.EXPORT_AUDIT, "x+++", "x+++"),
    "explain the clock": (
        lambda site, _: _could(site.audit.explain_clock, "the battery was old"), Act.EXPLAIN_CLOCK, "xxx+", "xxx+"),
    "remove": (lambda site, _: site.library.remove(_first(site)), Act.REMOVE_DOCUMENTS, "x+xx", "+++x"),
    "read the trail": (lambda site, _: site.audit.newest(3), Act.READ_AUDIT, "++++", "++++"),
    "verify the trail": (lambda site, _: site.audit.verify(), Act.READ_AUDIT, "++++", "++++"),
    "list people": (lambda site, _: site.people.list(), Act.READ_PEOPLE, "x+++", "x+++"),
    "refused sign-ins": (
        lambda site, _: site.people.refused_sign_ins(site._database.clock()), Act.REVIEW_ACCESS, "x++x", "x+++"),
    "add a person": (
        lambda site, _: site.people.add(NewPerson("zoe", "Zoe", ROLES["clinician"]), GIVEN), Act.MANAGE_PEOPLE,
        "xxx+", "xxx+"),
    "change duties": (
        lambda site, _: site.people.set_roles("anna", ROLES["qa_officer"], WHY), Act.MANAGE_PEOPLE, "xxx+", "xxx+"),
    "deactivate": (lambda site, _: site.people.deactivate("anna", WHY), Act.MANAGE_PEOPLE, "xxx+", "xxx+"),
    "unlock": (lambda site, _: site.people.unlock("anna", WHY), Act.MANAGE_PEOPLE, "xxx+", "xxx+"),
    "reset": (lambda site, _: site.people.reset("anna", GIVEN, WHY), Act.MANAGE_PEOPLE, "xxx+", "xxx+"),
    "identity": (
        lambda site, _: site.people.check_identity("anna", "passport seen"), Act.MANAGE_PEOPLE, "xxx+", "xxx+"),
    "recovery code": (lambda site, _: site.people.new_recovery_code(), Act.ROTATE_KEY, "xxx+", "xxx+"),
    "new key": (lambda site, _: site.keys.rotate(WHY, lambda *_: None), Act.ROTATE_KEY, "xxx+", "xxx+"),
    "limits": (
        lambda site, _: site.people.set_limits(SessionLimits(idle_s=300), WHY), Act.CHANGE_POLICY, "xxx+", "xxx+"),
    "accept": (lambda site, _: site.people.accept_accountability(), Act.OWN_ACCOUNT, "++++", "++++"),
    "confirm": (lambda site, _: site.people.confirm(who(site.people.me().name).password), Act.OWN_ACCOUNT, "++++",
                "++++"),
}  # fmt: skip
LOOKED_AT_FIRST = {"sign as reviewer": Act.READ_LIBRARY, "release": Act.READ_LIBRARY}  # what is signed is read before
COLUMNS = ("clinician", "qa_officer", "qa_approver", "admin")


@pytest.fixture(scope="module", params=list(Profile))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Profile, Path]:
    """A site of each profile: one person for each duty, and Anna, who asked something. Not to be changed."""
    folder = tmp_path_factory.mktemp("people")
    write_documents(folder / "files")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lumen_desktop.storage.keys._MEMORY_KIB", 64)
        patch.setattr("lumen_desktop.storage.keys._PASSES", 1)
        patch.setattr(app, "Site", RehearsalSite)
        patch.setattr(app, "now", Clock())
        founded(folder / "site", request.param)
        add(folder / "site", "anna", ROLES["clinician"])
        with signed_in(folder / "site", who("anna")) as site:
            added(site.starter_library, folder / "files" / "zelboramax.md", kind=Kind.SUMMARY)
            added(site.starter_library, folder / "files" / "recalls.md", kind=Kind.SUMMARY)
            ask(site, DOSE_QUESTION)
        _reviewed(folder / "site")
    return request.param, folder


def _reviewed(folder: Path) -> None:
    """An officer signs that the first document was reviewed, so that its approval is next."""
    with signed_in(folder) as site:
        site.people.check_identity("qa_officer", "passport seen")
    with signed_in(folder, who("qa_officer")) as site:
        site.people.accept_accountability()
        record = site.releases.record(_first(site))
        site.releases.sign(record, Wish(Meaning.REVIEWED, record.sha256, "qa_officer", WORDS["qa_officer"]))


def test_every_act_of_the_table_is_tried_through_its_service() -> None:
    untried = {Act.SIGN_AS_AUTHOR, Act.SIGN_AS_APPROVER}  # of documents that people write, which come later
    assert {act for _, act, _, _ in JOBS.values()} == set(Act) - untried


@pytest.fixture
def people(
    made: tuple[Profile, Path], tmp_path: Path, rehearsed: type[RehearsalSite], clock: Clock
) -> tuple[Profile, Path]:
    """A copy of it."""
    return made[0], Path(shutil.copytree(made[1], tmp_path / "copy"))


@pytest.mark.parametrize("role", COLUMNS)
def test_each_duty_does_what_the_table_says_and_each_refusal_leaves_an_event(
    people: tuple[Profile, Path], role: str
) -> None:
    profile, folder = people
    with signed_in(folder / "site", who(role)) as site:
        for name, (job, act, gmp, clinical) in JOBS.items():
            allowed = (gmp if profile is Profile.GMP else clinical)[COLUMNS.index(role)] == "+"
            if allowed:
                job(site, folder / "files")
                assert last_denied(site)[2:] != (act.value, "ACC-001"), name
            else:
                count = len(_events(site))
                assert code_of(lambda: job(site, folder / "files")) == "ACC-001", (name, role)  # noqa: B023
                assert last_denied(site) == (role, role, act.value, "ACC-001"), name
                assert len(_events(site)) == count + 1, name


def _events(site: app.Site) -> list[object]:
    from lumen_desktop.storage import audit  # noqa: PLC0415

    with site._database.reading() as session:
        return list(audit.events(session))


@pytest.mark.parametrize("role", COLUMNS)
def test_another_persons_conversation_is_nobodys_business(people: tuple[Profile, Path], role: str) -> None:
    _, folder = people
    code = "ACC-001" if role == "admin" else "ACC-002"
    with signed_in(folder / "site", who(role)) as site:
        for name, job in _conversation(1).items():
            assert code_of(lambda: job(site, folder)) == code, name  # noqa: B023
            act = Act.ASK if name == "ask in it" else Act.KEEP_CONVERSATIONS
            assert last_denied(site) == (role, role, act.value, code)
        if role != "admin":
            assert site.conversations.list() == []
            assert site.conversations.list("zelboraxib") == []
    with signed_in(folder / "site", who("anna")) as site:
        (mine,) = site.conversations.list()
        assert (mine.pinned, mine.deleted_utc) == (False, None)
        for job in _conversation(1).values():
            job(site, folder)


def test_who_reads_their_own_trail_only_sees_nobody_elses(people: tuple[Profile, Path]) -> None:
    _, folder = people
    with signed_in(folder / "site", who("clinician")) as site:
        site.people.accept_accountability()
        assert {event["actor"] for event in site.audit.newest(None)} == {"clinician"}
        assert [event["act"] for event in site.audit.newest(2)] == ["accepted", "changed"]
        assert site.audit.verify().first_bad is None
    assert {"anna", "holder", "clinician", "Lumen"} <= {
        event["actor"] for event in events(folder / "site", person=who("qa_officer"))
    }


def test_an_act_without_a_row_is_denied_to_everybody(
    people: tuple[Profile, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lumen_desktop.domain import permissions  # noqa: PLC0415

    profile, folder = people
    monkeypatch.delitem(permissions.TABLE[profile], Act.READ_LIBRARY)
    for role in COLUMNS:
        with signed_in(folder / "site", who(role)) as site:
            assert code_of(site.library.documents) == "ACC-001"
            assert last_denied(site) == (role, role, "read the library", "ACC-001")


def test_duties_taken_away_count_at_once(people: tuple[Profile, Path]) -> None:
    _, folder = people
    with signed_in(folder / "site", who("qa_officer")) as site:
        site.library.documents()
        site.people.list()
        _change(site, "qa_officer", roles="clinician")
        assert code_of(site.people.list) == "ACC-001"
        assert last_denied(site) == ("qa_officer", "clinician", "read the list of people", "ACC-001")
        _change(site, "qa_officer", roles="")
        assert code_of(site.library.documents) == "ACC-001"
        assert last_denied(site)[1] == "none"
        assert site.person.reach(Act.ASK) is Reach.NONE


def _change(site: app.Site, name: str, **values: object) -> None:
    """What an admin does meanwhile at another place."""
    with site._database.transaction(PROGRAM, "meanwhile") as transaction:
        row = accounts.by_name(transaction.session, name)
        assert isinstance(row, UserRow)
        transaction.change(row, **values)


def test_who_is_deactivated_meanwhile_does_nothing_more(people: tuple[Profile, Path]) -> None:
    _, folder = people
    with signed_in(folder / "site", who("anna")) as site:
        _change(site, "anna", active=False)
        jobs = (site.library.documents, site.conversations.list, site.people.accept_accountability,
                lambda: ask(site, DOSE_QUESTION), lambda: site.people.confirm(who("anna").password))  # fmt: skip
        for job in jobs:
            assert code_of(job) == "ACC-005"
            assert last_denied(site)[3] == "ACC-005"


def test_who_was_given_a_password_chooses_one_first(people: tuple[Profile, Path]) -> None:
    _, folder = people
    add(folder / "site", "bert", ROLES["clinician"], chosen=False)
    with signed_in(folder / "site", who("bert", GIVEN)) as site:
        for job in (site.library.documents, site.conversations.list, lambda: ask(site, DOSE_QUESTION)):
            assert code_of(job) == "ACC-003"
            assert last_denied(site)[3] == "ACC-003"
        site.people.choose_password(GIVEN, who("bert").password)
        site.library.documents()


@pytest.mark.parametrize("shut", ["locked", "deactivated", "to choose a password"])
def test_no_service_is_open_to_whom_none_is_open(people: tuple[Profile, Path], shut: str) -> None:
    _, folder = people
    code = {"locked": "ACC-004", "deactivated": "ACC-005", "to choose a password": "ACC-003"}[shut]
    with signed_in(folder / "site", who("qa_officer")) as site:
        if shut == "locked":
            site.person.lock()
        else:
            name = "active" if shut == "deactivated" else "must_choose_password"
            _change(site, "qa_officer", **{name: shut != "deactivated"})
        for name, (job, act, *_) in JOBS.items():
            if act is not Act.OWN_ACCOUNT or shut != "to choose a password":
                assert code_of(lambda: job(site, folder / "files")) == code, name  # noqa: B023
                first = LOOKED_AT_FIRST.get(name, act)
                assert last_denied(site) == ("qa_officer", "qa_officer", first.value, code)


# --- how long a period lasts ---


def test_a_period_locks_when_idle_and_goes_on_after_the_password(people: tuple[Profile, Path], clock: Clock) -> None:
    _, folder = people
    with signed_in(folder / "site", who("anna")) as site:
        running = Running()
        person = period(site, running)
        site.people._person = person
        running.seconds += 599
        assert person.over() == ""
        person.used()
        running.seconds += 599
        person.authorize(Act.ASK)
        running.seconds += 1
        assert person.over() == "idle"
        assert code_of(lambda: person.authorize(Act.ASK)) == "ACC-004"
        assert last_denied(site) == ("anna", "clinician", "ask", "ACC-004")
        person.used()
        assert person.over() == "idle"
        own = (site.people.accept_accountability, lambda: site.people.choose_password("", ""), site.people.list,
               lambda: site.people.confirm(who("anna").password))  # fmt: skip
        for job in own:
            assert code_of(job) == "ACC-004"
        assert code_of(lambda: site.people.come_back("wrong")) == "KEY-001"
        assert person.over() == "idle"
        site.people.come_back(who("anna").password)
        assert person.over() == ""
        person.authorize(Act.ASK)
        clock.tick(600)
        assert person.over() == "idle"
        clock.tick(-600)
        assert person.over() == "idle"


def test_a_period_ends_after_its_longest_time_whatever_is_done(people: tuple[Profile, Path]) -> None:
    _, folder = people
    with signed_in(folder / "site", who("anna")) as site:
        running = Running()
        person = period(site, running)
        for _ in range(143):
            running.seconds += 300
            person.used()
            assert person.over() == ""
        running.seconds += 300
        assert person.over() == "too long"
        person.unlock()
        assert person.over() == ""


def test_who_comes_back_the_next_morning_is_not_locked_out_again_at_once(people: tuple[Profile, Path]) -> None:
    _, folder = people
    with signed_in(folder / "site", who("anna")) as site:
        running = Running()
        person = period(site, running)
        running.seconds += 601
        assert person.over() == "idle"
        running.seconds += 15 * 3600
        person.unlock()
        assert person.over() == ""


def test_a_person_or_a_sleeping_computer_locks_at_once(people: tuple[Profile, Path]) -> None:
    _, folder = people
    with signed_in(folder / "site", who("anna")) as site:
        site.person.lock()
        assert site.person.over() == "locked"
        site.person.lock()
        assert code_of(site.library.documents) == "ACC-004"
        site.people.come_back(who("anna").password)
        site.library.documents()


def test_the_site_sets_how_long(people: tuple[Profile, Path]) -> None:
    _, folder = people
    with signed_in(folder / "site", who("anna")) as site:
        running = Running()
        person = period(site, running)
        with site._database.transaction(PROGRAM, "policy") as transaction:
            transaction.change(transaction.session.get_one(SiteRow, 1), idle_s=300)
        running.seconds += 300
        assert person.over() == "idle"


# --- the program itself, and disks that cannot be written ---


def test_the_program_may_do_what_its_code_asks_for() -> None:
    program = Housekeeping()
    assert program.user_id == NOBODY
    for act in Act:
        assert program.authorize(act, of=7) is PROGRAM
        assert program.reach(act) is Reach.ANY


@pytest.mark.parametrize("code", ["STO-001", "STO-003"])
def test_on_a_disk_that_cannot_be_written_a_denial_is_a_denial(
    people: tuple[Profile, Path], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    _, folder = people
    with signed_in(folder / "site", who("admin")) as site:
        with monkeypatch.context() as patch:
            patch.setattr(site._database, "transaction", _refusing(code))
            assert code_of(site.conversations.list) == "ACC-001"
        with monkeypatch.context() as patch:
            patch.setattr(site._database, "transaction", _refusing("STO-010"))
            assert code_of(site.conversations.list) == "STO-010"


def _refusing(code: str) -> Callable[..., object]:
    def transaction(*_: object) -> object:
        raise StorageError("It cannot be written.", code=code, hint="")

    return transaction


def test_refusals_are_not_input_errors(people: tuple[Profile, Path]) -> None:
    _, folder = people
    with signed_in(folder / "site", HOLDER) as site, pytest.raises(AccessError) as caught:
        site.people.deactivate("HOLDER", WHY)
    assert not isinstance(caught.value, InputError)
    assert (caught.value.code, Role.ADMIN in ROLES["admin"]) == ("ACC-033", True)
