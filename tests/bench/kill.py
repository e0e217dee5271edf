"""Kills the whole program while it adds and asks, and its engines while they work: what is lost?

At each point a real process opens the site, adds documents and asks with commentary until it is killed
(SIGKILL) at a random moment; then the site is opened again and everything it had acknowledged is looked for.
At each engine point the chat or embedding child of an asking site is killed instead.

``--engine fake`` needs no model. Status 1 where anything acknowledged was lost or the store is harmed.
"""

import argparse
import contextlib
import json
import multiprocessing
import multiprocessing.connection
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from lumen_desktop import app
from lumen_desktop.domain.chat import Answer, Status
from lumen_desktop.engine.fake import Behaviour
from lumen_desktop.errors import EngineError
from lumen_desktop.services.chat import INTERRUPTED, AnswerReady, Commentary, EvidenceFound
from lumen_desktop.storage import chat as stored
from lumen_desktop.storage import keys
from tests.conftest import HOLDER, found_site
from tests.rehearsal import RehearsalSite

QUESTION = "Within how many business days does an effectiveness check of recall {} confirm the notice?"
LONGEST_RECOVERY_S = 2.0
LATEST_KILL_S = {"fake": 2.0, "real": 6.0}
_WHOLE = """
    SELECT NOT EXISTS (SELECT 1 FROM source_document d WHERE d.pages <>
                       (SELECT count(*) FROM document_page p WHERE p.document_id = d.id)
                       OR NOT EXISTS (SELECT 1 FROM document_file f WHERE f.document_id = d.id)
                       OR NOT EXISTS (SELECT 1 FROM passage p WHERE p.document_id = d.id))
       AND NOT EXISTS (SELECT 1 FROM passage p LEFT JOIN passage_vector v ON v.passage_id = p.id
                       WHERE v.passage_id IS NULL)
       AND (SELECT count(*) FROM passage) = (SELECT count(*) FROM passage_vector)
       AND (SELECT count(*) FROM passage) = (SELECT count(*) FROM passage_text_docsize)"""


@dataclass(slots=True)
class Findings:
    """What the points showed; ``faults`` must stay empty."""

    faults: list[str] = field(default_factory=list)
    killed_while: Counter[str] = field(default_factory=Counter)
    recovery_s: list[float] = field(default_factory=list)
    lost_commentary_characters: list[int] = field(default_factory=list)

    def check(self, point: int, holds: object, fault: str) -> None:
        """Notes a fault where something does not hold."""
        if not holds:
            self.faults.append(f"point {point}: {fault}")

    def as_json(self) -> dict[str, Any]:
        recovery = sorted(self.recovery_s) or [0.0]
        return {
            "points": sum(self.killed_while.values()),
            "killed_while": dict(self.killed_while),
            "faults": self.faults,
            "recovery_s": {
                "median": round(statistics.median(recovery), 3),
                "max": round(recovery[-1], 3),
                "goal": LONGEST_RECOVERY_S,
            },
            "commentary_characters_shown_and_not_stored_max": max(self.lost_commentary_characters, default=0),
        }


@dataclass(slots=True)
class Shown:
    """What a process had said before it died."""

    doing: str = "starting"
    added: list[str] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    quotes: list[str] = field(default_factory=list)
    commentary: str = ""


def site_of(folder: Path, engine: str) -> contextlib.AbstractContextManager[app.Site]:
    """The site, open for writing."""
    if engine == "fake":
        RehearsalSite.chat_behaviour = Behaviour(pace_s=0.01, prompt_s=0.1)
        app.Site = RehearsalSite  # type: ignore[misc]
    keys._MEMORY_KIB, keys._PASSES = 64, 1  # the cost of a password is not what is measured
    place = app.find_site(folder) if (folder / "lumen.db").exists() else found_site(folder)
    return app.opened(place, HOLDER, purpose="bench kill", writable=True)


def write_document(folder: Path, name: str) -> Path:
    """A document of several sections about one recall."""
    part = (
        "An effectiveness check of recall {0} confirms the notice within {1} business days. "
        "The strategy of recall {0} states its depth, and each consignee of part {1} is told what to do with it. "
    )
    sections = "".join(f"## Part {n} of {name}\n\n{part.format(name, n + 3) * 4}\n\n" for n in range(6))
    path = folder / f"{name}.md"
    path.write_text(f"# Recall {name}\n\n{sections}", encoding="utf-8")
    return path


def work(folder: Path, inbox: Path, engine: str, point: int, told: multiprocessing.connection.Connection) -> None:
    """Adds and asks until killed, saying each thing once it is done."""
    os.setsid()
    with site_of(folder, engine) as site:
        told.send(("doing", "opened"))
        for number in range(1000):
            name = f"{point}x{number}"
            if (point + number) % 2:
                told.send(("doing", "adding"))
                *_, report = site.library.add([write_document(inbox, name)], collection="Recalls")
                told.send(("added", f"{name}.md") if getattr(report, "added", 0) else ("doing", "not added"))
            else:
                told.send(("doing", "asking"))
                for event in site.chat.ask(QUESTION.format("first"), prose=True):
                    told.send(_said(event))


def _said(event: object) -> tuple[str, Any]:
    if isinstance(event, EvidenceFound):
        return "quotes", [citation.quote for citation in event.citations]
    if isinstance(event, Commentary):
        return "commentary", event.text
    assert isinstance(event, AnswerReady)
    return "answer", (event.answer.record_id, event.answer.text)


def heard(told: multiprocessing.connection.Connection) -> Shown:
    """Everything a dead process had said."""
    shown = Shown()
    with contextlib.suppress(EOFError, OSError):
        while told.poll():
            kind, value = told.recv()
            if kind == "doing":
                shown.doing = value
            elif kind == "added":
                shown.added.append(value)
            elif kind == "quotes":
                shown.doing, shown.quotes, shown.commentary = "quotes shown", value, ""
            elif kind == "commentary":
                shown.doing, shown.commentary = "commenting", f"{shown.commentary} {value}".strip()
            else:
                shown.answers.append(value)
                shown.doing, shown.quotes, shown.commentary = "answered", [], ""
    return shown


def kill_process(folder: Path, inbox: Path, engine: str, point: int, after_s: float) -> Shown:
    """Starts a process, lets it work for a while, and kills it."""
    methods = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context("fork" if "fork" in methods else "spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(folder, inbox, engine, point, theirs))
    process.start()
    theirs.close()
    if point % 5:
        ours.poll(60)  # until it says that the site is open; every fifth may die before
    time.sleep(after_s)
    process.kill()
    process.join()
    shown = heard(ours)
    ours.close()
    process.close()
    return shown


def examine(site: app.Site, shown: Shown, point: int, findings: Findings) -> None:
    """Looks for everything that was acknowledged, and for anything half done."""
    with site.chat._database.reading() as session:
        whole = session.execute(text(_WHOLE)).scalar_one()
        cipher = session.execute(text("PRAGMA cipher_integrity_check")).all()
        integrity = session.execute(text("PRAGMA integrity_check")).scalar_one()
        last = session.execute(text("SELECT max(id) FROM exchange")).scalar_one()
        left_open = stored.interrupted(session)
    findings.check(point, whole, "a document is half stored")
    findings.check(point, not cipher and integrity == "ok", "the database is damaged")
    findings.check(point, site.audit.verify().first_bad is None, "the audit chain is broken")
    findings.check(point, not left_open, "an answer is still open")
    names = {document.name for document in site.library.documents()}
    findings.check(point, names.issuperset(shown.added), "a document that was reported added is gone")
    for number, words in shown.answers:
        findings.check(point, site.chat.record(number).text == words, f"answer {number} differs from what was shown")
    if shown.quotes:
        _examine_partial(site.chat.record(last), shown, point, findings)


def _examine_partial(answer: Answer, shown: Shown, point: int, findings: Findings) -> None:
    """An answer that was cut off: its quotes and what was stored of its commentary are kept, and it is marked."""
    findings.check(point, [c.quote for c in answer.citations] == shown.quotes, "quotes that were shown are gone")
    if answer.status is Status.STOPPED:
        findings.check(point, INTERRUPTED in answer.notes, "an interrupted answer is not marked")
        findings.check(point, all(quote in answer.text for quote in shown.quotes), "its text lost the quotes")
        findings.check(
            point, shown.commentary.startswith(answer.commentary) or answer.commentary.startswith(shown.commentary),
            "its commentary is not what was shown",
        )  # fmt: skip
        findings.lost_commentary_characters.append(max(0, len(shown.commentary) - len(answer.commentary)))
    else:  # it was finished and killed before it could say so
        findings.check(point, answer.status is Status.GROUNDED, f"an interrupted answer is {answer.status}")


def processes(folder: Path, engine: str, points: int, draw: random.Random, findings: Findings) -> None:
    """Kills the whole program at random points."""
    inbox = folder / "inbox"
    inbox.mkdir()
    for point in range(points):
        shown = kill_process(folder / "site", inbox, engine, point, draw.uniform(0, LATEST_KILL_S[engine]))
        findings.killed_while[shown.doing] += 1
        began = time.monotonic()
        with site_of(folder / "site", engine) as site:
            site.audit.verify()
            findings.recovery_s.append(time.monotonic() - began)
            examine(site, shown, point, findings)


def engines(folder: Path, engine: str, points: int, draw: random.Random, findings: Findings) -> None:
    """Kills the chat or the embedding child while a question is answered."""
    for point in range(points):
        with site_of(folder / "site", engine) as site:
            _kill_engine(site, engine, draw, point, findings)
            answer = _asked(site)[-1]
            findings.check(point, isinstance(answer, AnswerReady) and answer.answer.status is Status.GROUNDED, "the next question is not answered")  # noqa: E501  # fmt: skip
            findings.check(point, site.audit.verify().first_bad is None, "the audit chain is broken")


def _asked(site: app.Site) -> list[object]:
    return list(_stream(site))


def _kill_engine(site: app.Site, engine: str, draw: random.Random, point: int, findings: Findings) -> None:
    site.embedder.describe()
    site.chat_engine()[0].describe()
    victim = draw.choice([site.embedder, *[site.chat_engine()[0]] * 3])  # the chat engine works longest
    pid = victim.pid
    assert pid
    late_s = 0.1 if victim is site.embedder else LATEST_KILL_S[engine]
    timer = threading.Timer(draw.uniform(0, late_s), _kill, [pid])
    timer.start()
    events: list[object] = []
    try:
        for event in _stream(site):
            events.append(event)  # noqa: PERF402 - kept though it raises
        findings.killed_while["engine: idle, or answered all the same"] += 1
    except EngineError as error:
        findings.killed_while[f"engine: {error.code}"] += 1
    timer.join()
    last = events[-1] if events else None
    if not isinstance(last, AnswerReady):
        findings.check(point, holds=False, fault="no answer was handed over")
        return
    findings.check(point, site.chat.record(last.answer.record_id) == last.answer, "the answer is not stored as shown")
    quotes = next((e.citations for e in events if isinstance(e, EvidenceFound)), ())
    findings.check(point, last.answer.citations == quotes, "quotes that were shown are gone")


def _stream(site: app.Site) -> Iterator[object]:
    yield from site.chat.ask(QUESTION.format("first"), prose=True)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def main(argv: list[str]) -> int:
    """Runs both parts and prints what they showed as JSON."""
    parser = argparse.ArgumentParser(prog="tests.bench kill")
    parser.add_argument("--engine", choices=["fake", "real"], default="fake")
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--engine-points", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    draw, findings, of_engines = random.Random(options.seed), Findings(), Findings()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with site_of(folder / "site", options.engine) as site:
            list(site.library.add([write_document(folder, "first")], collection="Recalls"))
        processes(folder, options.engine, options.points, draw, findings)
        engines(folder, options.engine, options.engine_points, draw, of_engines)
    result = {"engine": options.engine, "processes": findings.as_json(), "engines": of_engines.as_json()}
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    return 1 if findings.faults or of_engines.faults else 0
