"""An answer as text to paste elsewhere: quotes, numbered references, and what a record of it needs. Knows no Qt."""

from functools import cache

from lumen_desktop import paths
from lumen_desktop.app import DEMONSTRATION_NOTICE
from lumen_desktop.domain.chat import Exchange, Status
from lumen_desktop.services.chat import UNVERIFIED, place
from lumen_desktop.ui import formatting

STOPPED = "Stopped: this answer is incomplete."
FAILED = "This answer failed: it is incomplete."
_ENDINGS = {Status.STOPPED: STOPPED, Status.FAILED: FAILED}
DIGEST_LETTERS = 12


@cache
def intended_use() -> str:
    """The statement of intended use, on one line."""
    return " ".join((paths.resources() / "intended_use.txt").read_text(encoding="utf-8").split())


def copied(exchange: Exchange, *, demonstration: bool) -> str:
    """Question, quotes, commentary, references, and one line each on the record and on the intended use."""
    answer = exchange.answer
    parts = [f"Question: {exchange.question}"]
    if answer.status is Status.NO_EVIDENCE:
        parts.append(answer.text)
    else:
        parts += ["\n".join(f"“{c.quote}” [{c.n}]" for c in answer.citations)]
        parts += [f"{UNVERIFIED}\n{answer.commentary}"] if answer.commentary else []
        parts += ["\n".join([_ENDINGS.get(answer.status, ""), *(f"Note: {note}" for note in answer.notes)])]
        references = [f"[{c.n}] {place(c)}" for c in answer.citations]
        parts += ["\n".join(["References", *references])] if references else []
    closing = [record(exchange), DEMONSTRATION_NOTICE if demonstration else "", intended_use()]
    parts.append("\n".join(line for line in closing if line))
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def record(exchange: Exchange) -> str:
    """What identifies a stored answer: its number, the build with its digest, and when it was asked."""
    answer = exchange.answer
    asked = formatting.with_zone(answer.asked_utc) if answer.asked_utc is not None else ""
    build = f"{answer.build_id} {answer.build_sha256[:DIGEST_LETTERS]}"
    return " · ".join(part for part in (f"Answer {answer.record_id}", build.strip(), asked) if part)
