"""A day at a site: five people do 200 things by the command line, and then its trail is verified, and a changed copy.

Every action is a process of its own, as people start them, with the password on standard input; each says beforehand
how it must end. Afterwards the trail must be whole, a copy with one changed event must be refused with the place named,
and the release record is printed. Run: ``python -m tests.bench day [--folder NEW]``; the site is left in the folder,
the passwords stand in `WORDS`. Status 1 where an action ended otherwise than it must.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from lumen_desktop import app
from lumen_desktop.services.sign_in import Credentials
from lumen_desktop.storage import audit
from lumen_desktop.storage.folder import DataFolder
from tests.conftest import ROOT, lumen_command, lumen_environment, write_documents

PEOPLE = {"petra": "clinician", "oskar": "qa-officer", "rita": "qa-officer", "abel": "qa-approver"}
WORDS = {name: f"the {name} counts nine small boats" for name in ("ada", *PEOPLE)}
QUESTIONS = (
    "Which batches must an investigation extend to when a batch fails its specification?",
    "How long must reserve samples of a drug product be kept?",
    "What does the quality control unit approve or reject?",
    "When is a field alert report due?",
    "Within how many business days does an effectiveness check confirm the notice of a recall?",
    "What is the recommended dose of warfarin?",
)
ACTIONS = 200


@dataclass(frozen=True, slots=True)
class Action:
    """One command of one person, and how it must end.

    Attributes:
        user: who.
        words: the command line after ``lumen``.
        status: exit status that it must have.
        code: of the refusal that it must name; empty where it is none.
        more: lines of standard input after the password.
        password: another than the person's own.
    """

    user: str
    words: tuple[str, ...]
    status: int = 0
    code: str = ""
    more: tuple[str, ...] = ()
    password: str = ""


def _signs(user: str, *words: str, status: int = 0, code: str = "", wrong: str = "") -> Action:
    return Action(user, words, status, code, more=(user, wrong or WORDS[user]))


def _refused(user: str, code: str, *words: str, password: str = "") -> Action:
    return Action(user, words, 2, code, password=password)


class Day:
    """Runs actions on one site and keeps what came of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        self.seconds: list[float] = []
        self.wrong: list[str] = []
        self.kinds: Counter[str] = Counter()

    def run(self, action: Action) -> str:
        """Runs one action; returns its standard output."""
        began = time.monotonic()
        given = "\n".join((action.password or WORDS[action.user], *action.more)) + "\n"
        done = subprocess.run(
            lumen_command("--user", action.user, "--password-stdin", *action.words, data=self.site),
            env=lumen_environment({"LUMEN_SETTINGS": str(self.folder / "settings.json")}), cwd=ROOT, input=given,
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        self.seconds.append(time.monotonic() - began)
        self.kinds["refused" if action.code else " ".join(action.words[:2])] += 1
        if done.returncode != action.status or action.code not in done.stderr or "Traceback" in done.stderr:
            said = done.stderr.strip().splitlines()[-1:] or [done.stdout[-80:]]
            self.wrong.append(f"{action.user}: {' '.join(action.words)}: status {done.returncode}, {said[0]}")
        return done.stdout

    def first_password(self, *words: str) -> str:
        """What an admin is shown once for somebody."""
        return str(json.loads(self.run(Action("ada", (*words, "--json"))))["first_password"])


def _founded(day: Day) -> None:
    """The admin makes the site and brings the others in, who choose their passwords and accept accountability."""
    founding = ("init", "--name", "St Luke's Sterile Products", "--profile", "gmp", "--printed-name", "Ada Admin")
    day.run(Action("ada", (*founding, "--recovery-file", str(day.folder / "recovery.txt"))))
    for name, role in PEOPLE.items():
        printed = f"{name.title()} {role.split('-')[-1].title()}"
        given = day.first_password("user", "add", name, "--printed-name", printed, "--role", role)
        day.run(Action(name, ("user", "password"), more=(WORDS[name],), password=given))
        day.run(Action("ada", ("user", "identity", name, "--how", "identity card seen")))
        day.run(Action(name, ("user", "accept", "--yes")))


def _morning(day: Day, files: list[Path]) -> Iterator[Action]:
    """Documents are brought, reviewed, approved, rejected; questions are asked; what is not allowed is tried."""
    for file in files:
        yield Action("oskar", ("library", "add", str(file)))
    numbers = [it["id"] for it in json.loads(day.run(Action("oskar", ("library", "list", "--json"))))]
    new = sorted(numbers)[-len(files) :]
    for number in new:
        yield _refused("oskar", "SIG-001", "library", "release", str(number))
    for number in new[:-1]:
        yield _signs("rita", "library", "release", str(number))
    yield _signs("rita", "library", "release", str(new[-1]), "--reject", "--reason", "a page is missing in the scan")
    yield _signs("abel", "library", "release", str(new[0]), status=2, code="KEY-001", wrong="not my password")
    for number in new[:-1]:
        yield _signs("abel", "library", "release", str(number))
    yield _signs("abel", "library", "withdraw", str(new[1]), "--reason", "replaced by a newer edition")
    yield Action("abel", ("library", "record", str(new[0]), "--out", str(day.folder / "release.pdf")))
    yield _refused("abel", "SIG-001", "library", "release", str(new[0]))
    for question in QUESTIONS:
        for name in ("petra", "oskar", "abel"):
            yield Action(name, ("ask", question))


def _afternoon(day: Day) -> Iterator[Action]:
    """Accounts, policy, keys and conversations; and everything that the site must refuse."""
    yield Action("ada", ("policy", "--idle-minutes", "5", "--reason", "shared computer in the clean corridor"))
    for name in PEOPLE:
        yield Action(name, ("conversation", "list"))
        yield _refused(name, "ACC-001", "user", "add", "eve", "--printed-name", "Eve", "--role", "admin")
        yield _refused(name, "ACC-001", "key", "rotate", "--reason", "a laptop with a copy was lost")
    for words in (("ask", "What?"), ("conversation", "list"), ("audit", "review", "--finding", "nothing unexpected")):
        yield _refused("ada", "ACC-001", *words)
    yield _refused("ada", "AUD-011", "user", "unlock", "petra", "--reason", "update")
    yield _refused("ada", "AUD-010", "user", "unlock", "petra", "--reason", " ")
    yield _refused("ada", "ACC-033", "user", "deactivate", "ada", "--reason", "I leave the company")
    yield _refused("ada", "ACC-032", "user", "roles", "petra", "--role", "admin", "--role", "clinician", "--reason",
                   "one person short today")  # fmt: skip
    for _ in range(4):
        yield _refused("petra", "KEY-001", "library", "list", password="not my password")
    yield _refused("petra", "ACC-020", "library", "list", password="not my password")
    yield _refused("petra", "ACC-020", "library", "list")
    yield Action("ada", ("user", "unlock", "petra", "--reason", "she mistyped, I saw her badge"))
    for number in ("1", "4", "7"):
        yield Action("petra", ("conversation", "rename", number, f"Round {number}"))
        yield _refused("oskar", "ACC-002", "conversation", "show", number)
    yield Action("petra", ("conversation", "delete", "4"))
    yield Action("petra", ("conversation", "restore", "4"))
    yield Action("ada", ("key", "rotate", "--reason", "a laptop with a copy was lost"))
    yield Action("ada", ("user", "deactivate", "petra", "--reason", "has left the company"))
    yield _refused("petra", "KEY-001", "library", "list")


def _evening(day: Day) -> Iterator[Action]:
    """The trail is read, exported, reviewed and signed off."""
    for words in (("audit", "list"), ("audit", "list", "--act", "denied"), ("user", "review"), ("audit", "verify")):
        for name in ("oskar", "rita", "abel"):
            yield Action(name, words)
    for kind in ("csv", "json", "pdf"):
        yield Action("rita", ("audit", "export", str(day.folder / f"trail.{kind}"), "--format", kind))
    yield _signs("rita", "audit", "review", "--finding", "Wrong passwords of petra asked about; nothing else.")
    yield _signs(
        "abel", "audit", "review", "--finding", "The reviewer's own events; nothing unexpected.", "--from", "1"
    )
    yield _signs("rita", "user", "sign-review", "--finding", "petra left today and cannot sign in any more.")
    yield Action("rita", ("audit", "reviews"))


def _filled(day: Day) -> Iterator[Action]:
    """Reading, until the day has its number of actions."""
    turns = (
        ("library", "list"),
        ("library", "search", "investigation of a failed batch"),
        ("audit", "list", "-n", "5"),
    )
    while len(day.seconds) < ACTIONS - 1:
        turn = turns[len(day.seconds) % len(turns)]
        yield Action(("oskar", "rita", "abel")[len(day.seconds) % 3], turn)


def tampered(day: Day) -> tuple[int, str]:
    """Verifies a copy in which somebody with the key changed one event; exit status, and what was said."""
    copy = Path(shutil.copytree(day.site, day.folder / "tampered"))
    place = app.SitePlace(DataFolder(copy), demonstration=False)
    with app.opened(place, Credentials("ada", WORDS["ada"]), purpose="bench", writable=False) as site:
        engine = site._database._engine.execution_options(lumen_writes=True)
        with engine.begin() as connection:
            connection.execute(text("DROP TRIGGER audit_event_is_never_changed"))
            connection.execute(text("UPDATE audit_event SET body = replace(body, '_utc', '_ctu') WHERE seq = 100"))
            connection.execute(text(audit.GUARDS["audit_event_is_never_changed"]))
    done = subprocess.run(
        lumen_command("--user", "ada", "--password-stdin", "audit", "verify", data=copy),
        env=lumen_environment(), cwd=ROOT, input=WORDS["ada"] + "\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, (done.stdout + done.stderr).strip()


def sign_ins(site: Path, count: int = 20) -> list[float]:
    """Seconds from a password to an open site, each in this process, modules loaded."""
    place, taken = app.SitePlace(DataFolder(site), demonstration=False), []
    for _ in range(count):
        began = time.monotonic()
        with app.opened(place, Credentials("ada", WORDS["ada"]), purpose="bench", writable=True):
            taken.append(time.monotonic() - began)
    return taken


def lived(folder: Path) -> Day:
    """The whole day."""
    day = Day(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _founded(day)
    files = [*write_documents(folder / "files"), *sorted((ROOT / "resources" / "help").glob("*.md"))[:3]]
    for part in (_morning(day, files), _afternoon(day), _evening(day), _filled(day)):
        for action in part:
            day.run(action)
    day.run(Action("abel", ("audit", "verify")))
    return day


def main(argv: list[str]) -> int:
    """Runs the bench."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench day", description=__doc__)
    parser.add_argument("--folder", type=Path, help="a new folder that stays; else a temporary one is removed")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        day = lived(options.folder or Path(temporary) / "day")
        status, said = tampered(day)
        entered = sign_ins(day.site)
    median, worst = statistics.median(day.seconds), max(day.seconds)
    sys.stdout.write(
        f"{len(day.seconds)} actions of {len(WORDS)} people: median {median:.2f} s, worst {worst:.2f} s; "
        f"load {os.getloadavg()[0]:.1f}\n"
    )
    sys.stdout.write(", ".join(f"{count} {kind}" for kind, count in day.kinds.most_common()) + "\n")
    sys.stdout.write(f"sign-in: median {statistics.median(entered):.2f} s, worst {max(entered):.2f} s (goal 1 s)\n")
    sys.stdout.write(f"a changed copy: status {status}, {said}\n")
    for line in day.wrong:
        sys.stdout.write(f"WRONG {line}\n")
    return 1 if day.wrong or status != 1 or statistics.median(entered) > 1 else 0
