"""Looking at a dataset: figures, samples, what was left out, and the page of HTML."""

import html.parser
import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.testing

from lumen_desktop.errors import InputError, StorageError
from tests.trainer import built
from trainer.cli import inspect
from trainer.inspect import charts, terminal
from trainer.inspect.figures import Figures, Lengths, figures_of, ranked, rejected
from trainer.inspect.samples import Sample
from trainer.ownership.work import Work
from trainer.records import Message, Reject

HOSTILE = '<script>alert(1)</script><img src="https://evil.example/x.png" onerror=x>\x1b[2J\u202e'


def run(*arguments: str) -> Any:
    app = typer.Typer()
    app.command()(inspect.command)
    return typer.testing.CliRunner().invoke(app, list(arguments))


class Tags(html.parser.HTMLParser):
    """Collects the elements of a page, what they refer to, and whether they nest."""

    VOID = frozenset({"meta", "link", "br", "img", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name in {"src", "href", "xlink:href", "action", "style"}:
                self.refers.append(str(value))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(folder: Path, work: Work) -> tuple[str, Tags]:
    target = folder / "report.html"
    result = run("--work", str(work.folder), "--html", str(target))
    assert result.exit_code == 0, result.exception
    written = target.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(written)
    assert not tags.open
    return written, tags


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Tags, Work]:
    """The page of a sellable build, drawn once: a chart takes a tenth of a second."""
    folder = tmp_path_factory.mktemp("plain")
    work = built.sellable(folder / "work")
    return *page(folder, work), work


def hostile(folder: Path) -> Work:
    one = built.record(f"ema:{HOSTILE}", "LicenseRef-EMA-Reuse")
    example = built.example(
        "patient" + HOSTILE, one, question=HOSTILE, answer=HOSTILE + " $x$", template=HOSTILE, groups=(HOSTILE,),
    )  # fmt: skip
    return built.built(
        folder, [one], train=[example], rejects=[Reject("quality", HOSTILE, HOSTILE, f"It says {HOSTILE}.")]
    )


def test_figures_count_what_there_is(tmp_path: Path) -> None:
    figures = figures_of(built.sellable(tmp_path / "work"))
    assert (figures.examples, figures.synthetic, figures.non_commercial, figures.undated) == (6, 0, 0, 0)
    assert figures.splits == {"train": 4, "validation": 1, "test": 1}
    assert figures.families == {"label": {"train": 4, "test": 1}, "patient": {"validation": 1}}
    assert figures.sources == {"dailymed": 5, "ema": 1}
    assert figures.years == {"2026": 6}
    assert figures.groups == {"drug:atorvastatin": 6}
    assert figures.answers.quantile(0.5) == 2
    assert figures.words == 4 * 7 + 4 + 4


def test_an_example_without_document_or_licence_is_counted_under_none() -> None:
    figures = Figures()
    figures.add("train", built.example("refusal", answerable=None, as_of="", synthetic=True, commercial=False))
    assert (figures.sources, figures.licences, figures.answerable) == ({"none": 1}, {"none": 1}, {"none": 1})
    assert (figures.undated, figures.synthetic, figures.non_commercial, figures.years) == (0, 1, 1, {})


def test_lengths_know_their_quantiles_and_doubling_classes() -> None:
    lengths = Lengths()
    for words in (0, 1, 2, 3, 9):
        lengths.add(words)
    assert [lengths.quantile(share) for share in (0, 0.2, 0.5, 0.8, 1)] == [0, 0, 2, 3, 9]
    assert lengths.doubling() == [("0", 1), ("1", 1), ("2-3", 2), ("4-7", 0), ("8-15", 1)]
    assert Lengths().quantile(0.5) == 0
    assert Lengths().doubling() == []


def test_counts_are_ranked_and_equal_ones_stand_by_name() -> None:
    assert list(ranked({"b": 1, "a": 1, "c": 5})) == ["c", "a", "b"]
    assert list(ranked({"b": 1, "a": 1, "c": 5}, 2)) == ["c", "a"]
    rejects = [Reject("s", "x", "b", ""), Reject("s", "y", "a", ""), Reject("s", "z", "b", "")]
    assert list(rejected(rejects).items()) == [(("s", "b"), 2), (("s", "a"), 1)]


def test_a_sample_depends_on_seed_and_names_not_on_order() -> None:
    names = [f"example {n}" for n in range(200)]

    def drawn(order: list[str], seed: int) -> list[str]:
        sample = Sample[str](5, seed=seed)
        for name in order:
            sample.offer(name, name)
        return sample.kept()

    assert drawn(names, 1) == drawn(names[::-1], 1)
    assert drawn(names, 1) != drawn(names, 2)
    assert len(set(drawn(names, 1))) == 5
    assert sorted(drawn(names[:3], 1)) == names[:3]


def test_a_sample_changes_only_by_what_joins_or_leaves() -> None:
    names = [f"example {n}" for n in range(200)]
    whole, fewer = Sample[str](20, seed=1), Sample[str](20, seed=1)
    for place, name in enumerate(names):
        whole.offer(name, name)
        if place % 2:
            fewer.offer(name, name)
    assert [name for name in whole.kept() if name in fewer.kept()] == [
        name for name in whole.kept() if names.index(name) % 2
    ]


def test_a_sample_of_none_is_empty() -> None:
    sample = Sample[int](0, seed=0)
    sample.offer("a", 1)
    assert sample.kept() == []


def test_command_shows_figures_rejects_and_examples(tmp_path: Path) -> None:
    result = run("--work", str(built.sellable(tmp_path / "work").folder), "--n", "2")
    assert result.exit_code == 0, result.exception
    assert "6 examples, 36 words" in result.output
    assert re.search(r"label +4 +0 +1 +5", result.output)
    assert "1  collect: no-text" in result.output
    assert "labels.zip!two.xml: The document has no text." in result.output
    assert result.output.count("── ") == 2
    assert "ASSISTANT" in result.output


def test_command_shows_only_the_family_and_the_part_asked_for(tmp_path: Path) -> None:
    result = run("--work", str(built.sellable(tmp_path / "w").folder), "--family", "patient", "--show", "examples")
    assert result.output.count("── patient") == result.output.count("── ") == 1
    assert "Left out" not in result.output
    assert "LicenseRef-EMA-Reuse · 2026-01-31 · answered by its sources" in result.output


def test_an_unknown_family_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    refused = run("--work", str(built.sellable(tmp_path / "work").folder), "--family", "none").exception
    assert isinstance(refused, InputError)
    assert (refused.code, refused.hint) == ("TRN-044", "Choose one of label, patient.")


def test_no_dataset_is_refused(tmp_path: Path) -> None:
    assert getattr(run("--work", str(tmp_path)).exception, "code", "") == "TRN-040"
    with pytest.raises(InputError):
        figures_of(Work(tmp_path))


def test_marks_of_an_example_are_shown() -> None:
    odd = built.example("label", built.LABEL, answerable=False, synthetic=True, commercial=False, as_of="")
    shown = "\n".join(terminal.conversation("test", odd))
    assert "not answered by its sources · synthetic · NON-COMMERCIAL" in shown
    assert "no document" in "\n".join(terminal.conversation("test", built.example("refusal")))


def test_line_breaks_of_a_turn_stay_and_long_lines_break() -> None:
    long = built.example("label", built.LABEL, answer="one\n" + "word " * 60)
    lines = list(terminal.conversation("train", long))
    assert "     one" in lines
    assert max(len(part) for line in lines for part in line.split("\n")) <= 100


def test_json_holds_the_parts_asked_for(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    whole = json.loads(run("--work", str(work.folder), "--json", "--n", "1").output)
    assert sorted(whole) == ["examples", "figures", "rejects"]
    assert whole["figures"]["lengths_words"]["answer"] == {"median": 2, "p95": 2, "longest": 2}
    assert whole["rejects"][0] == {
        "step": "collect", "reason": "no-text", "count": 1,
        "samples": [{"where": "labels.zip!two.xml", "words": "The document has no text."}],
    }  # fmt: skip
    assert len(whole["examples"]) == 1
    assert sorted(json.loads(run("--work", str(work.folder), "--json", "--show", "figures").output)) == ["figures"]


def test_the_terminal_is_not_steered_by_a_text(tmp_path: Path) -> None:
    output = run("--work", str(hostile(tmp_path / "work").folder)).output
    assert "\x1b" not in output
    assert "\u202e" not in output


def test_the_page_escapes_every_text_and_reaches_nowhere(tmp_path: Path) -> None:
    written, tags = page(tmp_path, hostile(tmp_path / "work"))
    assert "script" not in tags.tags
    assert "img" not in tags.tags
    assert "<script>alert(1)</script>" in tags.text
    assert all(one.startswith("#") or "url(" not in one for one in tags.refers if "url(#" not in one)
    assert not re.search(r"""(?:src|href)=["'](?!#)""", written)
    assert "default-src 'none'" in written
    assert "\x1b" not in written
    assert "\u202e" not in written


def test_the_page_gives_each_chart_a_title_and_a_table(plain: tuple[str, Tags, Work]) -> None:
    written, tags, _ = plain
    assert tags.tags.count("svg") == tags.tags.count("table") == tags.tags.count("figure") == 9
    assert written.count('role="img" aria-labelledby=') == tags.tags.count("svg")
    assert len(tags.ids) == len(set(tags.ids))
    assert {one[1:] for one in tags.refers if one.startswith("#")} <= set(tags.ids)
    assert '<html lang="en">' in written


def test_the_page_has_the_same_bytes_each_time(tmp_path: Path, plain: tuple[str, Tags, Work]) -> None:
    assert page(tmp_path, plain[2])[0] == plain[0]


def test_the_page_follows_light_and_dark(plain: tuple[str, Tags, Work]) -> None:
    written = plain[0]
    assert "prefers-color-scheme: dark" in written
    inside = "".join(re.findall(r"<svg.*?</svg>", written, flags=re.DOTALL))
    assert "var(--series-1)" in inside
    assert not re.search(r"(?:fill|stroke): #", inside)


def test_the_page_warns_of_a_set_that_must_not_be_sold(tmp_path: Path, plain: tuple[str, Tags, Work]) -> None:
    assert "Not for sale: 2 examples" in page(tmp_path, built.mixed(tmp_path / "work"))[0]
    assert "Not for sale" not in plain[0]


def test_the_page_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    refused = run("--work", str(work.folder), "--html", str(tmp_path)).exception
    assert isinstance(refused, StorageError)
    assert refused.code == "TRN-010"


def test_page_and_parts_can_be_had_together(tmp_path: Path) -> None:
    work = built.sellable(tmp_path / "work")
    output = run("--work", str(work.folder), "--html", str(tmp_path / "x.html"), "--show", "rejects").output
    assert "Left out: 2" in output
    assert (tmp_path / "x.html").exists()


def test_a_chart_writes_words_as_they_are() -> None:
    drawn = charts.bars({"examples": {"a $x$ & <b>": 3, "long " * 20: 1, "薬 \U0001f48a": 2}}, title="T", name="c")
    assert "a $x$ &amp; &lt;b&gt;" in drawn
    assert "…" in drawn
    assert "薬" in drawn
    assert "<metadata" not in drawn


def test_a_chart_of_nothing_is_drawn() -> None:
    assert charts.bars({"examples": {}}, title="T", name="c").startswith("<svg")
    assert charts.histogram({"a": []}, title="T", name="c", unit="words").startswith("<svg")


def test_a_bar_is_as_long_as_its_count() -> None:
    counts = {"a": 30, "b": 15, "c": 1}
    assert [len(terminal.bar(n, counts)) for n in counts.values()] == [30, 15, 1]


def test_columns_stand_under_their_heads() -> None:
    assert terminal.columns(("a", "n"), [("x", 1200), ("yy", 5)]) == ["a       n", "x   1,200", "yy      5"]
    assert terminal.columns(("a", "n"), []) == ["a  n"]


def test_an_example_with_a_system_turn_shows_it(tmp_path: Path) -> None:
    turns = (Message("system", "Use the sources."), Message("user", "Q?"), Message("assistant", "A."))
    work = built.built(tmp_path / "work", [built.LABEL], train=[built.example("label", built.LABEL, messages=turns)])
    assert "Use the sources." in page(tmp_path, work)[1].text
