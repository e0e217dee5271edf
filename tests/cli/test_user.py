"""People from the command line: added, changed, let back in, reviewed; their own accounts; the site's policy."""

import os
import re
import select
import shutil
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyotp
import pytest

from lumen_desktop.domain.accounts import FREE_FAILURES, Profile, Role
from lumen_desktop.domain.permissions import TABLE, Act
from lumen_desktop.services import passwords
from lumen_desktop.services.accounts import accountability_statement
from tests.cli.conftest import Here, Result, document, refusal, run_rehearsed
from tests.conftest import AS_HOLDER, HOLDER, PASSWORD, ROOT, Clock, lumen_command, lumen_environment

ANNA = "plum tractor velvet onion"
WHY = ("--reason", "moved to the quality unit")


class Site:
    """A copy of the stocked site, at the hands of its people."""

    def __init__(self, folder: Path, here: Here) -> None:
        self.folder = folder
        self._here = here

    def __call__(self, *arguments: object, by: str = HOLDER.user, password: str = PASSWORD, given: str = "") -> Result:
        return self._here(*arguments, data=self.folder, user=by, password=password, given=given)

    def anna(self, *arguments: object) -> Result:
        """As Anna, with the password of her own."""
        return self(*arguments, by="anna", password=ANNA)

    def people(self) -> dict[str, Any]:
        return {person["name"]: person for person in document(self("user", "list", "--json"))}

    def events(self, act: str) -> list[dict[str, Any]]:
        return [event for event in document(self("audit", "list", "-n", 200, "--json")) if event["act"] == act]

    def added(self, name: str, *roles: str, password: str = ANNA) -> None:
        """A person who has chosen a password."""
        options = [word for role in roles for word in ("--role", role)]
        given = document(self("user", "add", name, "--printed-name", name.title(), *options, "--json"))
        lines = f"{given['first_password']}\n{password}\n"
        assert self("--user", name, "--password-stdin", "user", "password", given=lines).returncode == 0


@pytest.fixture
def site(site_folder: Path, here: Here) -> Site:
    return Site(site_folder, here)


# --- people ---


def test_a_person_gets_a_first_password_and_must_choose_another(site: Site) -> None:
    shown = site("user", "add", "anna", "--printed-name", "Anna Bee", "--role", "clinician", "--role", "qa-officer")
    found = re.search(r"^First password of anna, shown once: (\S+)$", shown.stdout, re.MULTILINE)
    assert found, shown
    assert re.fullmatch(r"([a-z2-9]{4}-){4}[a-z2-9]{4}", found[1])
    assert site.people()["anna"]["state"] == "must choose a password"
    assert refusal(site("user", "list", by="anna", password=found[1])) == "ACC-003"
    change = ("--user", "anna", "--password-stdin", "user", "password")
    assert refusal(site(*change, given=f"{found[1]}\n")) == "KEY-004"
    assert refusal(site(*change, given=f"{found[1]}\nshort\n")) == "ACC-010"
    assert refusal(site(*change, given=f"{found[1]}\n{found[1]}\n")) == "ACC-036"
    assert refusal(site(*change, given=f"wrong\n{ANNA}\n")) == "KEY-001"
    assert site(*change, given=f"{found[1]}\n{ANNA}\n").returncode == 0
    anna = site.people()["anna"]
    assert (anna["state"], anna["roles"], anna["printed_name"]) == ("active", ["clinician", "qa_officer"], "Anna Bee")
    listed = site.anna("user", "list").stdout.splitlines()
    assert len(listed) == 2
    assert re.match(r"anna +Anna Bee +clinician, QA officer +active +last signed in \d{4}-", listed[0])
    assert refusal(site("user", "list", by="anna", password=found[1])) == "KEY-001"


def test_first_passwords_are_random_and_taken() -> None:
    given = [passwords.given() for _ in range(200)]
    assert len(set(given)) == 200
    for password in given:
        passwords.check(password, ["anna", "Anna Bee", "St Luke's Pharmacy"])


def test_somebody_who_was_never_there_has_not_signed_in(site: Site) -> None:
    site("user", "add", "anna", "--printed-name", "Anna Bee", "--role", "clinician")
    assert "never signed in" in site("user", "list").stdout
    assert site.people()["anna"]["last_signed_in_utc"] is None


def test_duties_are_changed_with_a_reason(site: Site) -> None:
    site.added("anna", "clinician")
    assert refusal(site.anna("user", "list")) == "ACC-001"
    done = site("user", "roles", "anna", "--role", "qa-approver", "--role", "QA officer", *WHY)
    assert done.stdout == "Changed: QA officer, QA approver.\n"
    assert site.anna("user", "list").returncode == 0
    (event,) = [event for event in site.events("changed") if "roles" in (event["after"] or {})]
    assert (event["before"], event["after"]) == ({"roles": "clinician"}, {"roles": "qa_approver,qa_officer"})
    assert (event["reason"], event["actor"]) == (WHY[1], HOLDER.user)


def test_who_leaves_is_kept_out_and_can_be_let_back_in(site: Site) -> None:
    site.added("anna", "clinician")
    assert "lumen user reset anna" in site("user", "deactivate", "anna", *WHY).stdout
    assert site.people()["anna"]["state"] == "deactivated"
    assert refusal(site.anna("library", "list")) == "KEY-001"
    assert refusal(site("user", "add", "Anna", "--printed-name", "A", "--role", "clinician")) == "ACC-031"
    first = document(site("user", "reset", "anna", "--json", *WHY))["first_password"]
    assert site.people()["anna"]["state"] == "must choose a password"
    assert refusal(site("library", "list", by="anna", password=first)) == "ACC-003"


def test_wrong_passwords_lock_until_an_admin_unlocks(site: Site, clock: Clock) -> None:
    site.added("anna", "qa-officer")
    for _ in range(FREE_FAILURES - 1):
        assert refusal(site("library", "list", by="anna", password="wrong")) == "KEY-001"
    assert site.people()["anna"]["state"] == "active, 4 wrong passwords since"
    assert refusal(site("library", "list", by="anna", password="wrong")) == "ACC-020"
    assert refusal(site.anna("library", "list")) == "ACC-020"
    locked = site.people()["anna"]
    assert locked["state"] == "locked until 2026-11-22 09:45Z"
    assert locked["locked_until_utc"] == datetime(2026, 11, 22, 9, 45, tzinfo=UTC).isoformat()
    assert refusal(site("user", "unlock", "anna", "--reason", "update")) == "AUD-011"
    assert refusal(site.anna("library", "list")) == "ACC-020"
    assert site("user", "unlock", "anna", *WHY).stdout == "Unlocked.\n"
    assert site.anna("library", "list").returncode == 0
    assert [event["reason"] for event in site.events("unlocked")] == [WHY[1]]


def about_anna(people: Result, policy: Result) -> tuple[Any, Any]:
    """What stands about her, and the site's policy."""
    return next(person for person in document(people) if person["name"] == "anna"), document(policy)


@pytest.fixture(scope="session")
def with_anna(stocked_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Any, Any]]:
    """The stocked site with Anna, a clinician, made once and not to be changed; and what stands about her."""
    folder = Path(shutil.copytree(stocked_folder, tmp_path_factory.mktemp("anna") / "site"))

    def run(*arguments: object) -> Result:
        return run_rehearsed(*arguments, data=folder, env=AS_HOLDER)

    added = document(run("user", "add", "anna", "--printed-name", "Anna", "--role", "clinician", "--json"))
    lines = f"{added['first_password']}\n{ANNA}\n"
    chosen = run_rehearsed("--user", "anna", "--password-stdin", "user", "password", data=folder, given=lines)
    assert chosen.returncode == 0, chosen
    return folder, about_anna(run("user", "list", "--json"), run("policy", "--json"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["user"], None),
        (["user", "unlock", "nobody", *WHY], "ACC-034"),
        (["user", "reset", "nobody", *WHY], "ACC-034"),
        (["user", "roles", "nobody", "--role", "admin", *WHY], "ACC-034"),
        (["user", "roles", HOLDER.user, "--role", "admin", *WHY], "ACC-033"),
        (["user", "deactivate", HOLDER.user, *WHY], "ACC-033"),
        (["user", "reset", HOLDER.user, *WHY], "ACC-033"),
        (["user", "identity", HOLDER.user, "--how", "passport seen"], "ACC-033"),
        (["user", "add", "bea", "--printed-name", "Bea"], "ACC-038"),
        (["user", "add", "bea", "--printed-name", "Bea", "--role", "boss"], "ACC-043"),
        (["user", "add", "be\u202ea", "--printed-name", "Bea", "--role", "admin"], "ACC-030"),
        (["user", "add", "bea", "--role", "admin"], "CLI-001"),
        (["user", "add", "HOLDER", "--printed-name", "Bea", "--role", "admin"], "ACC-031"),
        (["user", "deactivate", "anna"], "CLI-001"),
        (["user", "deactivate", "anna", "--reason", ""], "AUD-010"),
        (["user", "deactivate", "anna", "--reason", "update"], "AUD-011"),
        (["user", "reset", "anna", "--reason", "update"], "AUD-011"),
        (["user", "roles", "anna", "--role", "admin", "--reason", "x" * 501], "AUD-011"),
        (["user", "roles", "anna", *WHY], "ACC-038"),
        (["user", "identity", "anna", "--how", "\u200b "], "ACC-037"),
        (["user", "accept"], "CLI-002"),
        (["user", "second-factor", "maybe"], "CLI-001"),
        (["user", "second-factor", "on", "--code", "123456"], "ACC-024"),
        (["user", "second-factor", "on", "--secret", "BASE32SECRET3232" * 2, "--code", "12345x"], "ACC-022"),
        (["user", "second-factor", "on", "--secret", "not base 32!", "--code", "123456"], "ACC-022"),
        (["user", "recover", "anna"], "KEY-004"),
        (["policy", "--idle-minutes", 4, *WHY], "ACC-041"),
        (["policy", "--idle-minutes", 16, *WHY], "ACC-041"),
        (["policy", "--longest-hours", 25, *WHY], "ACC-041"),
        (["policy", "--longest-hours", 0, *WHY], "ACC-041"),
        (["policy", "--idle-minutes", 5], "AUD-010"),
        (["policy", "--gmp", *WHY], "CLI-002"),
        (["policy", "--gmp", "--yes", *WHY], "ACC-032"),
        (["policy", "--gmp", "--yes"], "AUD-010"),
    ],
    ids=lambda value: " ".join(map(str, value))[:60] if isinstance(value, list) else value,
)
def test_what_cannot_be_done_is_one_line_and_changes_nothing(
    with_anna: tuple[Path, tuple[Any, Any]], tmp_path: Path, here: Here, arguments: list[object], code: str | None
) -> None:
    folder, before = with_anna
    site = Site(Path(shutil.copytree(folder, tmp_path / "site")), here)
    result = site(*arguments)
    if code is None:
        assert result.returncode == 2
        assert "recover" in result.stdout + result.stderr
        return
    assert refusal(result) == code
    assert about_anna(site("user", "list", "--json"), site("policy", "--json")) == before


ADMINS_ONLY: list[list[object]] = [
    ["user", "add", "bea", "--printed-name", "Bea", "--role", "clinician"],
    ["user", "roles", HOLDER.user, "--role", "admin", *WHY],
    ["user", "deactivate", HOLDER.user, *WHY],
    ["user", "unlock", HOLDER.user, *WHY],
    ["user", "reset", HOLDER.user, *WHY],
    ["user", "identity", HOLDER.user, "--how", "passport seen"],
    ["policy", "--idle-minutes", 5, *WHY],
    ["policy", "--gmp", "--yes", *WHY],
    ["key", "rotate", *WHY],
    ["key", "recovery-code"],
]


def test_only_an_admin_manages_people_policy_and_keys_and_a_denial_is_an_event(site: Site) -> None:
    site.added("anna", "clinician", "qa-officer", "qa-approver")
    codes = [refusal(site.anna(*arguments)) for arguments in ADMINS_ONLY]
    assert codes == ["ACC-001"] * len(ADMINS_ONLY)
    denied = [(event["actor"], event["entity_id"]) for event in site.events("denied")]
    assert len(denied) == len(ADMINS_ONLY)
    assert set(denied) == {("anna", act) for act in (Act.MANAGE_PEOPLE, Act.CHANGE_POLICY, Act.ROTATE_KEY)}


# --- duties and reviews ---


def test_the_table_of_duties_is_the_sites(site: Site, here: Here, demo: Path) -> None:
    words = {0: "-", 1: "own", 2: "all"}
    for found, profile in (
        (document(site("user", "duties", "--json")), Profile.CLINICAL),
        (document(here("user", "duties", "--json", data=demo)), Profile.GMP),
    ):
        assert found["profile"] == profile.value
        assert found["acts"] == {
            act.value: {role.value: words[reach] for role, reach in row.items()} for act, row in TABLE[profile].items()
        }
    lines = site("user", "duties").stdout.splitlines()
    assert lines[2].split() == ["clinician", "QA", "officer", "QA", "approver", "admin"]
    assert [line.split()[-1] for line in lines[3:]] == [words[row[Role.ADMIN]] for row in TABLE[Profile.CLINICAL].values()]  # noqa: E501  # fmt: skip


def test_a_review_shows_people_and_refused_sign_ins_of_ninety_days(site: Site, clock: Clock) -> None:
    site.added("anna", "qa-officer")
    assert "No sign-in was refused in the last 90 days." in site.anna("user", "review").stdout
    refusal(site("library", "list", by="anna", password="wrong"))
    refusal(site("library", "list", by="stranger", password="wrong"))
    clock.tick(89 * 86400)
    refusal(site("library", "list", by="anna", password="wrong"))
    report = document(site.anna("user", "review", "--json"))
    assert [(it["name"], it["code"]) for it in report["refused_sign_ins"]] == [
        ("anna", "KEY-001"), ("an unknown name", "KEY-001"), ("anna", "KEY-001"),
    ]  # fmt: skip
    assert {person["name"] for person in report["people"]} == {"anna", HOLDER.user}
    assert (report["site"], report["reviewer"]) == ("St Luke's Pharmacy", "anna")
    clock.tick(2 * 86400)
    assert len(document(site.anna("user", "review", "--json"))["refused_sign_ins"]) == 1
    shown = site.anna("user", "review").stdout
    assert "St Luke's Pharmacy (clinical)" in shown
    assert "Sign-ins refused in the last 90 days: 1" in shown
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\dZ  KEY-001  anna$", shown, re.MULTILINE)


def test_who_may_not_review_sees_no_report(site: Site, here: Here, demo: Path) -> None:
    site.added("anna", "clinician")
    assert refusal(site.anna("user", "review")) == "ACC-001"
    assert refusal(here("user", "review", data=demo, user="admin", password="demonstration")) == "ACC-001"
    assert here("user", "review", data=demo, user="reviewer", password="demonstration").returncode == 0


# --- one's own account ---


def test_identity_and_accountability_are_needed_to_sign(site: Site) -> None:
    site.added("anna", "qa-officer")
    assert site("user", "identity", "anna", "--how", "passport seen").returncode == 0
    assert not site.people()["anna"]["may_ever_sign"]
    accepted = site.anna("user", "accept", "--yes")
    assert accountability_statement() in accepted.stderr
    assert accepted.stdout == "Accepted.\n"
    anna = site.people()["anna"]
    assert anna["may_ever_sign"]
    assert anna["identity_checked"].startswith(f"passport seen (by {HOLDER.user}, 20")
    (event,) = site.events("accepted")
    assert len(event["after"]["sha256"]) == 64
    assert 3 <= len(accountability_statement().splitlines()) <= 4


def test_a_second_factor_counts_once_its_code_was_given(
    site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = site("user", "second-factor", "on", "--json")
    made = document(shown)
    assert made["uri"].startswith("otpauth://totp/Lumen%20St%20Luke")
    assert made["secret"] in made["uri"]
    assert site("library", "list").returncode == 0
    totp = pyotp.TOTP(made["secret"])

    def code() -> str:
        return totp.at(clock())

    assert refusal(site("user", "second-factor", "on", "--secret", made["secret"], "--code", "000000x")) == "ACC-022"
    used = code()
    assert site("user", "second-factor", "on", "--secret", made["secret"], "--code", used).returncode == 0
    assert refusal(site("library", "list")) == "ACC-021"
    monkeypatch.setenv("LUMEN_CODE", used)
    assert refusal(site("library", "list")) == "ACC-022"
    clock.tick(60)
    monkeypatch.setenv("LUMEN_CODE", code())
    assert site("library", "list").returncode == 0
    assert refusal(site("library", "list")) == "ACC-022"
    clock.tick(60)
    monkeypatch.setenv("LUMEN_CODE", code())
    off = ("--user", HOLDER.user, "--password-stdin", "user", "second-factor", "off")
    assert refusal(site(*off, given=f"{PASSWORD}\nwrong\n")) == "KEY-001"
    clock.tick(60)
    monkeypatch.setenv("LUMEN_CODE", code())
    assert site("user", "second-factor", "off").returncode == 0
    monkeypatch.delenv("LUMEN_CODE")
    assert site("library", "list").returncode == 0
    trail = str(document(site("audit", "list", "-n", 200, "--json")))
    assert made["secret"] not in trail


# --- recovery ---


def recover(site: Site, name: str, code: str) -> Result:
    return site("--password-stdin", "user", "recover", name, "--json", password="", given=code + "\n")


def test_the_recovery_code_lets_an_admin_back_in_once(site: Site, clock: Clock) -> None:
    made = site("key", "recovery-code").stdout
    code = made.split("shown once: ")[1].split("\n")[0]
    for _ in range(FREE_FAILURES):
        refusal(site("library", "list", password="wrong"))
    assert refusal(site("library", "list")) == "ACC-020"
    done = document(recover(site, HOLDER.user.upper(), f" {code.lower().replace('-', ' ')} "))
    assert done["name"] == HOLDER.user
    lines = f"{done['first_password']}\n{ANNA}\n"
    assert refusal(site("library", "list", password=PASSWORD)) == "KEY-001"
    assert refusal(site("library", "list", password=done["first_password"])) == "ACC-003"
    assert site("--user", HOLDER.user, "--password-stdin", "user", "password", given=lines).returncode == 0
    events = document(site("audit", "list", "-n", 200, "--json", password=ANNA))
    assert [event["actor"] for event in events if event["act"] == "recovered by the code"] == ["recovery code"]
    assert refusal(recover(site, HOLDER.user, code)) == "KEY-008"
    assert document(recover(site, HOLDER.user, done["recovery_code"]))["recovery_code"] != done["recovery_code"]


def test_the_recovery_code_is_for_active_admins_and_wrong_ones_are_counted(site: Site, clock: Clock) -> None:
    site.added("anna", "clinician")
    code = site("key", "recovery-code").stdout.split("shown once: ")[1].split("\n")[0]
    for name in ("anna", "nobody"):
        assert refusal(recover(site, name, code)) == "ACC-040"
    assert [event["after"]["code"] for event in site.events("recovery refused")] == ["ACC-040"] * 2
    for _ in range(FREE_FAILURES - 1):
        assert refusal(recover(site, HOLDER.user, "AAAA-BBBB")) == "KEY-008"
    assert refusal(recover(site, HOLDER.user, "AAAA-BBBB")) == "ACC-020"
    assert refusal(recover(site, HOLDER.user, code)) == "ACC-020"
    assert site("library", "list").returncode == 0
    names = {event["entity_id"] for event in site.events("sign-in refused")}
    assert names == {"the recovery code"}
    clock.tick(16 * 60)
    assert document(recover(site, HOLDER.user, code))["name"] == HOLDER.user


def test_a_demonstration_has_no_recovery_code(here: Here, demo: Path) -> None:
    result = here("--password-stdin", "user", "recover", "admin", data=demo, given="AAAA-BBBB\n")
    assert refusal(result) == "KEY-008"


# --- policy ---


def test_limits_are_shown_and_changed(site: Site) -> None:
    assert document(site("policy", "--json")) == {
        "site": "St Luke's Pharmacy", "profile": "clinical", "idle_minutes": 10, "longest_hours": 12,
    }  # fmt: skip
    assert site("policy", "--idle-minutes", 5, "--longest-hours", 8, *WHY).returncode == 0
    assert "after 5 minutes without use; a sign-in lasts 8 hours" in site("policy").stdout
    (event,) = [event for event in site.events("changed") if event["entity"] == "site"]
    assert event["after"] == {"idle_s": 300, "longest_s": 8 * 3600}


def test_a_gmp_site_stays_one(site: Site) -> None:
    site.added("bea", "admin")
    assert refusal(site("policy", "--gmp", "--yes", *WHY)) == "ACC-032"
    assert site("user", "roles", HOLDER.user, "--role", "admin", *WHY, by="bea", password=ANNA).returncode == 0
    assert document(site("policy", "--gmp", "--yes", "--json", *WHY))["profile"] == "gmp"
    assert refusal(site("policy", "--gmp", "--yes", *WHY)) == "ACC-042"
    mixture = ("user", "add", "cleo", "--printed-name", "Cleo", "--role", "admin", "--role", "clinician")
    assert refusal(site(*mixture)) == "ACC-032"
    assert "a GMP site" in site("policy").stdout


# --- in a terminal ---

Typed = Callable[..., str]
_UNTIL_HIDDEN_S = 0.5  # what is typed before the terminal hides it would be thrown away
_ANSWERS_WITHIN_S = 30.0


@pytest.fixture
def typed(site_folder: Path) -> Typed:
    """Runs `lumen` in a terminal and answers its prompts, each once it is shown; returns all that was shown."""
    pty = pytest.importorskip("pty", reason="terminals of POSIX")

    def run(*arguments: object, answers: list[tuple[str, str]], status: int = 0) -> str:
        command = lumen_command(*arguments, data=site_folder, rehearsal=True)
        pid, terminal = pty.fork()
        if not pid:
            os.chdir(ROOT)
            env = lumen_environment({"LUMEN_CHEAP_KEYS": "1", "TERM": "dumb", "COLUMNS": "200"}, {})
            os.execve(command[0], command, env)  # noqa: S606 - no shell
        shown, left = "", list(answers)
        while select.select([terminal], [], [], _ANSWERS_WITHIN_S)[0]:
            try:
                shown += os.read(terminal, 4096).decode()
            except OSError:
                break
            if left and left[0][0] in shown.rpartition("\0")[2]:
                time.sleep(_UNTIL_HIDDEN_S)
                os.write(terminal, left.pop(0)[1].encode() + b"\n")
                shown += "\0"
        os.close(terminal)  # whoever still waits for an answer ends
        _, ended = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(ended) == status, shown
        assert not left, shown
        return shown.replace("\0", "")

    return run


NAMED = [("User name", HOLDER.user), ("Password", PASSWORD)]


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_in_a_terminal_passwords_are_asked_for_and_not_shown(typed: Typed, site: Site) -> None:
    shown = typed("user", "password", answers=[*NAMED, ("New password", ANNA), ("Repeat", ANNA)])
    assert "Your password is changed." in shown
    assert PASSWORD not in shown
    assert ANNA not in shown
    assert site("library", "list", password=ANNA).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_in_a_terminal_who_does_not_agree_changes_nothing(typed: Typed, site: Site) -> None:
    shown = typed("user", "accept", answers=[*NAMED, ("Type yes", "no")], status=2)
    assert accountability_statement().splitlines()[0] in shown
    assert "CLI-003" in shown
    assert site.people()[HOLDER.user]["accountable_utc"] is None
    site.added("bea", "admin")
    site("user", "roles", HOLDER.user, "--role", "admin", *WHY, by="bea", password=ANNA)
    for answer, status in (("Another Pharmacy", 2), ("St Luke's Pharmacy", 0)):
        typed("policy", "--gmp", *WHY, answers=[*NAMED, ("to go on", answer)], status=status)
    assert document(site("policy", "--json"))["profile"] == "gmp"
