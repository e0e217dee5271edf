"""The report as page and print and the model card: every state is shown, and every figure is that of the files."""

import html.parser
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pypdfium2
import pytest
import yaml

from tests.trainer import judged
from trainer.config import Config
from trainer.dossier import drawing, model_card, pictures
from trainer.dossier.page import page
from trainer.dossier.printed import printed
from trainer.dossier.sections import Told, report
from trainer.gating import evidence
from trainer.gating.checks import judge
from trainer.gating.finding import Case, Looked
from trainer.gating.result import GateResult, Outcome, Waived
from trainer.ownership.verdict import STAMP

HOSTILE = "<script>alert(1)</script> & “x” ≤ 漢 \u202eevil"


@pytest.fixture
def told(configured: Callable[..., Config], tmp_path: Path) -> Told:
    """A build in which every outcome stands: passed, failed, waived, not run."""
    config = configured({}, export={"ship": "Q8_0"})
    file = tmp_path / "work" / "exported" / "lumen.gguf"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"GGUF")
    judged.measured(config, file, medqa=(200, 120, 140), invented=(60, 50, 20))
    found = evidence.gathered(config)
    fine = Looked("all of it")
    checks = list(judge(Case(config, found, fine, fine, Looked(told=("Nobody has judged.",)))))
    waived = Waived("qa", "It is asked again before the next build.", "2026-11-23", "ab" * 32)
    checks[8] = replace(checks[8], outcome=Outcome.WAIVED, waived=waived)
    result = GateResult(
        "lumen-tiny", 3, "Q8_0", "2026-11-23", "12" * 32, "34" * 32, "56" * 32, commercial=True, stamp="",
        checks=tuple(checks),
    )  # fmt: skip
    base = {"name": "tiny-mistral", "revision": "", "licence": "Apache-2.0", "sha256": "78" * 32}
    run = {"result": {"best_step": 30, "tokens": 1_200_000}, "run": "9a" * 32,
           "sessions": [{"packages": {"torch": "2.13.0"}}]}  # fmt: skip
    ledger = [{"source": "dailymed", "licence": "LicenseRef-DailyMed", "commercial": True, "used_documents": 7,
               "examples": {"train": 1_234}}]  # fmt: skip
    return Told(config, result, found, run, base, {"sha256": "bc" * 32, "examples": 1_240, "materials": ledger})


def words_of(content: bytes) -> list[str]:
    """The text of each page, spaces and line breaks made one."""
    document = pypdfium2.PdfDocument(content)
    try:
        return [" ".join(one.get_textpage().get_text_bounded().split()) for one in document]
    finally:
        document.close()


class Reader(html.parser.HTMLParser):
    """Takes a page apart: its words, its elements, and elements that were left open."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


FIGURES = (
    "lumen-tiny, build 3, Q8_0", "PASS", "FAIL", "WAIVED", "NOT RUN", "60.0%", "70.0%", "< 0.0001",
    "2 worked examples", "surest 80 %", "invented medicines answered", "16.7%", "token ids equal", "3e-06",
    "dequantised 0.1727", "seconds to the first token", "1,240 examples", "tokens 1,200,000", "torch 2.13.0",
    "12" * 32, "56" * 32, "qa", "It is asked again before the next build.", "Not measured. Nobody has judged.",
)  # fmt: skip


def test_page_and_print_hold_the_same_figures(told: Told) -> None:
    made = report(told)
    on_page = " ".join(" ".join(read(page(made)).words).split())
    in_print = " ".join(words_of(printed(made)))
    narrow = re.sub(r"\s", "", in_print)  # a cell breaks its lines where it must
    for figure in FIGURES:
        assert figure in on_page
        assert re.sub(r"\s", "", figure) in narrow
    difference = told.evidence.against_base["medqa"].right.difference
    assert f"{difference.value * 100:+.1f} [{difference.low * 100:+.1f}, {difference.high * 100:+.1f}]" in on_page


def test_the_page_stands_alone_and_shows_every_outcome(told: Told) -> None:
    text = page(report(told))
    reader = read(text)
    assert "script" not in reader.tags
    assert all(address.startswith("#") for address in reader.addresses)
    assert {address[1:] for address in reader.addresses} == set(re.findall(r'<h2 id="([^"]+)"', text))
    assert reader.tags.count("svg") == 4
    for outcome in Outcome:
        assert f'<span class="word {outcome.value.replace(" ", "-")}">{outcome.value}</span>' in text


def test_what_strangers_wrote_is_text_and_nothing_more(told: Told) -> None:
    checks = tuple(replace(one, why=HOSTILE) for one in told.result.checks)
    made = report(replace(told, result=replace(told.result, checks=checks), base={**told.base, "name": HOSTILE}))
    text = page(made)
    assert "script" not in read(text).tags
    assert "\u202e" not in text
    in_print = re.sub(r"\s", "", "".join(words_of(printed(made))))
    assert "<script>alert(1)</script>&“x”≤[U+6F22]evil" in in_print


def test_each_printed_page_says_which_build_which_result_and_which_page_of_how_many(told: Told) -> None:
    pages = words_of(printed(report(told)))
    assert len(pages) > 3
    for number, words in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in words
        assert "Gate: FAIL" in words
        assert "lumen-tiny, build 3, Q8_0" in words
        assert f"SHA-256 {'12' * 32}" in words


def test_the_print_is_the_same_each_time(told: Told) -> None:
    made = report(told)
    assert printed(made) == printed(made)


def test_a_stamp_stands_on_every_page(told: Told) -> None:
    made = report(replace(told, result=replace(told.result, commercial=False, stamp=STAMP)))
    assert all(STAMP in words for words in words_of(printed(made)))
    assert STAMP in page(made)


def test_what_got_worse_is_named_in_report_and_card(told: Told) -> None:
    section = next(one for one in report(told).sections if one.name == "worse")
    assert section.table is not None
    assert [(row[0], row[2]) for row in section.table.rows] == [("medqa", "sure")]
    card = model_card.card(told)
    assert "- medqa: -10.0 [" in card.split("## What got worse", 1)[1]


def test_without_a_base_the_report_says_that_nothing_is_compared(told: Told) -> None:
    alone = replace(told, evidence=replace(told.evidence, base=None, against_base={}))
    assert "nothing is compared" in page(report(alone))
    assert printed(report(alone))
    assert "Not known: the base was not asked" in model_card.card(alone)


def test_the_card_has_a_head_uses_limits_data_and_the_gate(told: Told) -> None:
    card = model_card.card(told)
    head = yaml.safe_load(card.split("---\n")[1])
    assert (head["license"], head["base_model"], head["pipeline_tag"]) == (
        "apache-2.0",
        "tiny-mistral",
        "text-generation",
    )
    for title in (
        "Intended use",
        "Not for",
        "Training data",
        "Evaluation",
        "What got worse",
        "Gate",
        "Limits",
        "Digests",
    ):
        assert f"\n## {title}\n" in card
    assert "| dailymed | LicenseRef-DailyMed | yes | 7 | 1,234 |" in card
    assert "**It did not pass its gate**" in card
    assert "Hallucination: qa, 2026-11-23: It is asked again before the next build." in card
    assert "- Not measured of this build: listed interactions, human review." in card


def test_pictures_are_well_formed_and_their_marks_lie_within_them() -> None:
    mark = pictures.Mark
    drawn = (
        pictures.scores([pictures.Row("a & <b>", mark(0.5, 0.4, 0.6), mark(1.0, 0.9, 1.0), 0.25)]),
        pictures.behaviour([pictures.Limit("x", mark(0.0, 0.0, 0.1), 0.1, most=True),
                            pictures.Limit("y", mark(1.0, 0.9, 1.0), 0.95, most=False)]),
        pictures.calibration([(0.3, True), (1.0, False)], [(0.0, False)]),
        pictures.quantisations([("F16", 0.0, 0.0, 1e6), ("Q4_K_M", 0.04, 0.2, 4.4e9)]),
        pictures.scores([]), pictures.behaviour([]), pictures.calibration([], []), pictures.quantisations([]),
    )  # fmt: skip
    for one in drawn:
        ET.fromstring(drawing.svg(one, "chart-x"))  # noqa: S314 - our own
        for shape in one.shapes:
            for x in (getattr(shape, name) for name in ("x", "x1", "x2") if hasattr(shape, name)):
                assert 0 <= x <= one.width


def test_bins_hold_each_answer_once() -> None:
    points = [(n / 100, n % 3 == 0) for n in range(101)]
    found = pictures.bins(points)
    assert sum(n for *_, n in found) == 101
    assert all(0 <= share <= 1 and 0 <= confidence <= 1 for confidence, share, _ in found)
    assert pictures.bins([]) == []


def test_the_day_is_the_gates(told: Told) -> None:
    assert date.fromisoformat(report(told).day) == date(2026, 11, 23)
