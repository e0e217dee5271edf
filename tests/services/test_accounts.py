"""People are added, given duties, locked out and let in again; a kill in between opens nothing to anybody."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lumen_desktop import app
from lumen_desktop.domain.accounts import Actor, Profile, Role, SessionLimits
from lumen_desktop.services import accounts as people
from lumen_desktop.services.accounts import NewPerson
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.storage import accounts as stored
from lumen_desktop.storage.keys import RECOVERY, KeyFile, signing_key
from tests.conftest import HOLDER, PASSWORD, Clock, found_site
from tests.rehearsal import RehearsalSite
from tests.services.people import GIVEN, ROLES, WORDS, add, code_of, events, last_denied, signed_in, who

WHY = "moved to the other department"
FRESH = "another sentence that nobody knows"
CLINICIAN, ADMIN = ROLES["clinician"], ROLES["admin"]
Job = Callable[[app.Site], object]


@pytest.fixture
def folder(tmp_path: Path, rehearsed: type[RehearsalSite], clock: Clock) -> Path:
    """A clinical site of its holder and Anna, a clinician."""
    found_site(tmp_path / "site")
    add(tmp_path / "site", "anna", CLINICIAN)
    return tmp_path / "site"


def do(folder: Path, job: Job, person: Credentials = HOLDER) -> None:
    with signed_in(folder, person) as site:
        job(site)


def refused(folder: Path, job: Job, person: Credentials = HOLDER) -> str:
    with signed_in(folder, person) as site:
        return code_of(lambda: job(site))


def door(folder: Path, person: Credentials) -> str:
    return code_of(lambda: do(folder, lambda _: None, person))


def standing(folder: Path, name: str) -> people.Standing:
    with signed_in(folder) as site:
        return next(it for it in site.people.list() if it.user.name == name)


def keys_of(folder: Path, name: str, password: str) -> tuple[bytes, bytes]:
    """The public halves of the key that a person holds, and of the one that their signatures are checked with."""
    file = KeyFile.read(folder / "site.key")
    held = signing_key(file.open(name, password).secret).public_key().public_bytes_raw()
    with signed_in(folder) as site, site._database.reading() as session:
        row = stored.by_name(session, name)
        assert row is not None
        return held, bytes.fromhex(stored.public_key(session, row.id or 0, at=site._database.clock()))


def test_a_reason_that_is_refused_is_an_event(folder: Path) -> None:
    with signed_in(folder) as site:
        for reason, code in (("", "AUD-010"), ("update", "AUD-011"), ("the label of the batch " * 30, "AUD-012")):
            assert code_of(lambda: site.people.deactivate("anna", reason)) == code  # noqa: B023 - called at once
    told = events(folder, "reason refused")
    assert [event["after"]["code"] for event in told] == ["AUD-010", "AUD-011", "AUD-012"]
    assert "label of the batch" not in str(told)


# --- who comes ---


def test_a_new_person_chooses_a_password_before_anything_else(folder: Path) -> None:
    do(folder, lambda site: site.people.add(NewPerson("bert", "Bert Bauer", CLINICIAN), GIVEN))
    with signed_in(folder, who("bert", GIVEN)) as site:
        assert site.people.me().must_choose_password
        assert code_of(lambda: site.people.choose_password("wrong", WORDS["bert"])) == "KEY-001"
        assert code_of(lambda: site.people.choose_password(GIVEN, GIVEN)) == "ACC-036"
        assert code_of(lambda: site.people.choose_password(GIVEN, "too short")) == "ACC-010"
        assert code_of(lambda: site.people.choose_password(GIVEN, "bert bauer bert bauer")) == "ACC-012"
        site.people.choose_password(GIVEN, WORDS["bert"])
        assert not site.people.me().must_choose_password
    assert door(folder, who("bert", GIVEN)) == "KEY-001"
    with signed_in(folder, who("bert")) as site:
        assert site.people.me().printed_name == "Bert Bauer"
    assert [word for word in (WORDS["bert"], GIVEN) if word in str(events(folder))] == []


@pytest.mark.parametrize(
    ("name", "printed", "roles", "code"),
    [
        ("", "Bert", CLINICIAN, "ACC-030"),
        (" bert", "Bert", CLINICIAN, "ACC-030"),
        ("be  rt", "Bert", CLINICIAN, "ACC-030"),
        ("be\nrt", "Bert", CLINICIAN, "ACC-030"),
        ("be\u200brt", "Bert", CLINICIAN, "ACC-030"),
        ("\u202ebert", "Bert", CLINICIAN, "ACC-030"),
        (RECOVERY, "Bert", CLINICIAN, "ACC-030"),
        ("\udcff", "Bert", CLINICIAN, "ACC-030"),
        ("b" * 65, "Bert", CLINICIAN, "ACC-030"),
        ("bert", "", CLINICIAN, "ACC-030"),
        ("bert", "B" * 101, CLINICIAN, "ACC-030"),
        ("ANNA", "Another Anna", CLINICIAN, "ACC-031"),
        ("\uff41nna", "Another Anna", CLINICIAN, "ACC-031"),
        ("bert", "Bert", frozenset(), "ACC-038"),
    ],
    ids=ascii,
)
def test_a_name_that_cannot_be_used_is_refused_and_nothing_is_stored(
    folder: Path, name: str, printed: str, roles: frozenset[Role], code: str
) -> None:
    before = (folder / "site.key").read_bytes()
    assert refused(folder, lambda site: site.people.add(NewPerson(name, printed, roles), GIVEN)) == code
    assert (folder / "site.key").read_bytes() == before
    with signed_in(folder) as site:
        assert [it.user.name for it in site.people.list()] == ["anna", "holder"]


def test_an_admin_gives_no_password_that_is_easily_guessed(folder: Path) -> None:
    for given, code in (("short", "ACC-010"), ("bertbauerbertbauer", "ACC-012")):
        person = NewPerson("bert", "Bert Bauer", CLINICIAN)
        assert refused(folder, lambda site: site.people.add(person, given)) == code  # noqa: B023
        assert refused(folder, lambda site: site.people.reset("anna", given[:5], WHY)) == "ACC-010"  # noqa: B023
    assert not standing(folder, "anna").user.must_choose_password


def test_a_person_gone_keeps_their_name_for_ever(folder: Path) -> None:
    do(folder, lambda site: site.people.deactivate("anna", WHY))
    assert refused(folder, lambda site: site.people.add(NewPerson("Anna", "A. Other", CLINICIAN), GIVEN)) == "ACC-031"


# --- what duties they have ---


def test_duties_change_with_a_reason(folder: Path) -> None:
    do(folder, lambda site: site.people.set_roles("ANNA", ROLES["qa_officer"] | CLINICIAN, WHY))
    assert standing(folder, "anna").user.roles == {Role.OFFICER, Role.CLINICIAN}
    (event,) = [it for it in events(folder, "changed") if it["reason"] == WHY]
    assert (event["before"], event["after"]) == ({"roles": "clinician"}, {"roles": "clinician,qa_officer"})
    for reason, code in (("", "AUD-010"), ("update", "AUD-011")):
        assert refused(folder, lambda site: site.people.set_roles("anna", CLINICIAN, reason)) == code  # noqa: B023
        assert refused(folder, lambda site: site.people.deactivate("anna", reason)) == code  # noqa: B023
        assert refused(folder, lambda site: site.people.unlock("anna", reason)) == code  # noqa: B023
        assert refused(folder, lambda site: site.people.reset("anna", GIVEN, reason)) == code  # noqa: B023
        assert refused(folder, lambda site: site.people.become_gmp(reason)) == code  # noqa: B023
    assert refused(folder, lambda site: site.people.set_roles("anna", frozenset(), WHY)) == "ACC-038"
    assert standing(folder, "anna").user.active


@pytest.mark.parametrize(
    "job",
    [
        lambda site: site.people.set_roles("Holder", ADMIN, WHY),
        lambda site: site.people.deactivate("holder", WHY),
        lambda site: site.people.reset("HOLDER", GIVEN, WHY),
        lambda site: site.people.check_identity("holder", "passport seen"),
    ],
)
def test_nobody_changes_their_own_access_and_the_try_is_an_event(folder: Path, job: Job) -> None:
    with signed_in(folder) as site:
        assert code_of(lambda: job(site)) == "ACC-033"
        assert last_denied(site)[2:] == ("manage people", "ACC-033")


@pytest.mark.parametrize(
    "job",
    [
        lambda site: site.people.set_roles("nobody", ADMIN, WHY),
        lambda site: site.people.deactivate("\udcff", WHY),
        lambda site: site.people.reset("", GIVEN, WHY),
        lambda site: site.people.unlock("nobody", WHY),
        lambda site: site.people.check_identity("nobody", "passport seen"),
    ],
)
def test_whom_nobody_knows_is_one_sentence(folder: Path, job: Job) -> None:
    assert refused(folder, job) == "ACC-034"


def test_the_last_admin_stays(folder: Path) -> None:
    add(folder, "bert", ADMIN)
    do(folder, lambda site: site.people.set_roles("holder", CLINICIAN, WHY), who("bert"))
    with signed_in(folder, who("bert")) as site:
        with site._database.transaction(Actor("other", "admin"), "as one who just was admin") as transaction:
            row = stored.by_name(transaction.session, "bert")
            assert row is not None
            assert code_of(lambda: people._refuse_last_admin(transaction, row)) == "ACC-035"
        site.people.set_roles("holder", ADMIN | CLINICIAN, WHY)
        site.people.deactivate("holder", WHY)
        assert code_of(lambda: site.people.deactivate("holder", "")) == "AUD-010"
    assert door(folder, HOLDER) == "KEY-001"


def test_two_admins_who_end_each_others_access_at_once_leave_one(folder: Path) -> None:
    add(folder, "bert", ADMIN)
    with signed_in(folder) as site:
        site.people.deactivate("bert", WHY)
        row = next(it.user for it in site.people.list() if it.user.name == "holder")
        assert row.active
        other = site._database
        with other.transaction(Actor("bert", "admin"), WHY) as transaction:
            holder = stored.by_name(transaction.session, "holder")
            assert holder is not None
            assert code_of(lambda: people._refuse_last_admin(transaction, holder)) == "ACC-035"


# --- how they get in again ---


def test_a_reset_lets_a_person_back_in_by_a_password_to_be_changed(folder: Path, clock: Clock) -> None:
    before = keys_of(folder, "anna", WORDS["anna"])
    for _ in range(5):
        door(folder, who("anna", "wrong"))
    assert standing(folder, "anna").locked_until_utc is not None
    do(folder, lambda site: site.people.reset("anna", GIVEN, WHY))
    assert standing(folder, "anna").locked_until_utc is None
    assert door(folder, who("anna")) == "KEY-001"
    do(folder, lambda site: site.people.choose_password(GIVEN, FRESH), who("anna", GIVEN))
    after = keys_of(folder, "anna", FRESH)
    assert before[0] == before[1]
    assert after[0] == after[1] != before[0]


def test_an_own_new_password_keeps_the_key_one_signs_with(folder: Path) -> None:
    before = keys_of(folder, "anna", WORDS["anna"])
    do(folder, lambda site: site.people.choose_password(WORDS["anna"], FRESH), who("anna"))
    assert keys_of(folder, "anna", FRESH) == before
    assert door(folder, who("anna")) == "KEY-001"


def test_whoever_gave_a_password_cannot_sign_as_the_person_who_changed_it(folder: Path) -> None:
    do(folder, lambda site: site.people.reset("anna", GIVEN, WHY))
    kept = KeyFile.read(folder / "site.key").open("anna", GIVEN).secret
    do(folder, lambda site: site.people.choose_password(GIVEN, FRESH), who("anna", GIVEN))
    held, checked_with = keys_of(folder, "anna", FRESH)
    assert held == checked_with != signing_key(kept).public_key().public_bytes_raw()


def test_a_deactivated_person_comes_back_by_a_reset(folder: Path) -> None:
    do(folder, lambda site: site.people.deactivate("anna", WHY))
    assert door(folder, who("anna")) == "KEY-001"
    assert not standing(folder, "anna").user.active
    do(folder, lambda site: site.people.reset("anna", GIVEN, WHY))
    do(folder, lambda site: site.people.choose_password(GIVEN, FRESH), who("anna", GIVEN))
    assert standing(folder, "anna").user.active


def test_an_unlocked_person_may_try_again_at_once(folder: Path, clock: Clock) -> None:
    for _ in range(5):
        door(folder, who("anna", "wrong"))
    assert door(folder, who("anna")) == "ACC-020"
    do(folder, lambda site: site.people.unlock("anna", "called from a known number"))
    do(folder, lambda _: None, who("anna"))
    assert [it["reason"] for it in events(folder, "unlocked")] == ["called from a known number"]
    assert standing(folder, "anna").last_signed_in_utc == clock()


def test_wrong_passwords_of_who_is_signed_in_lock_as_well(folder: Path) -> None:
    with signed_in(folder, who("anna")) as site:
        codes = [code_of(lambda: site.people.confirm("wrong")) for _ in range(6)]
        assert codes == ["KEY-001"] * 4 + ["ACC-020"] * 2
        assert code_of(lambda: site.people.come_back(WORDS["anna"])) == "ACC-020"
    assert door(folder, who("anna")) == "ACC-020"


def test_a_new_recovery_code_ends_the_one_before(folder: Path) -> None:
    with signed_in(folder) as site:
        one, other = site.people.new_recovery_code(), site.people.new_recovery_code()
    file = KeyFile.read(folder / "site.key")
    assert code_of(lambda: file.open(RECOVERY, one)) == "KEY-001"
    assert file.open(RECOVERY, other)
    assert door(folder, Credentials(RECOVERY, other)) == "ACC-005"
    assert other not in str(events(folder))


# --- a kill between database and key file ---


@pytest.mark.parametrize("act", ["add", "reset", "deactivate", "choose"])
def test_a_kill_before_the_key_file_is_written_opens_nothing(
    folder: Path, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if act == "choose":
        do(folder, lambda site: site.people.reset("anna", GIVEN, WHY))
    jobs: dict[str, Job] = {
        "add": lambda site: site.people.add(NewPerson("bert", "Bert Bauer", CLINICIAN), GIVEN),
        "reset": lambda site: site.people.reset("anna", GIVEN, WHY),
        "deactivate": lambda site: site.people.deactivate("anna", WHY),
        "choose": lambda site: site.people.choose_password(GIVEN, FRESH),
    }

    really = Path.replace

    def killed(fresh: Path, target: Path) -> Path:
        if target.name == "site.key":
            raise KeyboardInterrupt
        return really(fresh, target)

    person = who("anna", GIVEN) if act == "choose" else HOLDER
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt), signed_in(folder, person) as site:
        patch.setattr(Path, "replace", killed)
        jobs[act](site)
    if act == "add":
        assert door(folder, who("bert", GIVEN)) == "KEY-001"
        do(folder, lambda site: site.people.reset("bert", GIVEN, "the first try was interrupted"))
        do(folder, lambda _: None, who("bert", GIVEN))
    elif act == "deactivate":
        assert door(folder, who("anna")) == "ACC-005"
        do(folder, lambda site: site.people.deactivate("anna", WHY))
        assert door(folder, who("anna")) == "KEY-001"
    else:
        password = GIVEN if act == "choose" else WORDS["anna"]
        with signed_in(folder, who("anna", password)) as site:
            assert code_of(site.library.documents) == "ACC-003"
            site.people.choose_password(password, FRESH)
        held, checked_with = keys_of(folder, "anna", FRESH)
        assert held == checked_with


# --- before they sign ---


def test_identity_and_accountability_are_on_record_before_anybody_signs(folder: Path, clock: Clock) -> None:
    assert not standing(folder, "anna").user.may_ever_sign
    assert refused(folder, lambda site: site.people.check_identity("anna", " \n\u200b")) == "ACC-037"
    do(folder, lambda site: site.people.check_identity("anna", "passport\u202e seen"))
    assert standing(folder, "anna").user.identity_checked == "passport seen (by holder, 2026-11-22)"
    do(folder, lambda site: site.people.accept_accountability(), who("anna"))
    user = standing(folder, "anna").user
    assert user.accountable_utc == clock()
    assert user.may_ever_sign
    assert [event["actor"] for event in events(folder, "accepted")] == ["anna"]


# --- what holds at the site ---


def test_a_site_becomes_gmp_when_nobodys_duties_mix_and_stays_one(folder: Path) -> None:
    add(folder, "bert", ADMIN)
    bert = who("bert")
    assert refused(folder, lambda site: site.people.become_gmp(WHY), bert) == "ACC-032"
    do(folder, lambda site: site.people.deactivate("holder", WHY), bert)
    do(folder, lambda site: site.people.become_gmp("an inspection is announced"), bert)
    with signed_in(folder, bert) as site:
        assert site.people.policy().profile is Profile.GMP
        assert code_of(lambda: site.people.become_gmp(WHY)) == "ACC-042"
        assert code_of(lambda: site.people.reset("holder", GIVEN, WHY)) == "ACC-032"
        assert code_of(lambda: site.people.set_roles("anna", ADMIN | CLINICIAN, WHY)) == "ACC-032"
        assert code_of(lambda: site.people.add(NewPerson("zoe", "Zoe", ADMIN | CLINICIAN), GIVEN)) == "ACC-032"
        site.people.set_roles("holder", CLINICIAN, WHY)
        site.people.reset("holder", GIVEN, WHY)
        assert site.audit.verify().first_bad is None
    (event,) = [it for it in events(folder, "changed", bert) if it["reason"] == "an inspection is announced"]
    assert (event["before"], event["after"]) == ({"profile": "clinical"}, {"profile": "gmp"})


def test_limits_of_a_period_are_sound(folder: Path) -> None:
    for limits in (SessionLimits(idle_s=299), SessionLimits(idle_s=901), SessionLimits(longest_s=3599),
                   SessionLimits(longest_s=86_401)):  # fmt: skip
        assert refused(folder, lambda site: site.people.set_limits(limits, WHY)) == "ACC-041"  # noqa: B023
    do(folder, lambda site: site.people.set_limits(SessionLimits(300, 3600), WHY))
    with signed_in(folder) as site:
        assert site.people.policy().limits == SessionLimits(300, 3600)
        assert site.people.policy().site == "St Luke's Pharmacy"


def test_passwords_of_the_demonstration_may_be_any(tmp_path: Path, rehearsed: type[RehearsalSite]) -> None:
    place = app.create_demonstration(tmp_path / "demo")
    assert place.demonstration
    ada = Credentials("admin", "demonstration")
    do(tmp_path / "demo", lambda site: site.people.add(NewPerson("eve", "Eve", CLINICIAN), "eve"), ada)
    do(tmp_path / "demo", lambda site: site.people.choose_password("eve", "adam"), Credentials("eve", "eve"))
    assert PASSWORD not in {"eve", "adam"}
