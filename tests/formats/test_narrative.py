"""Narrative blocks as lines: numbers stay what they are, tables become rows, nothing unseen comes through."""

import io
import random

import pytest

from lumen_desktop.domain.library import normalised
from lumen_desktop.domain.quantities import quantities
from lumen_desktop.formats import narrative, xml


def text(inner: str, *, space: str = "urn:hl7-org:v3") -> str:
    name = f"{{{space}}}text" if space else "text"
    source = f'<text xmlns="{space}">{inner}</text>' if space else f"<text>{inner}</text>"
    return next(narrative.text(block) for block in xml.elements(io.BytesIO(source.encode()), name))


def table(rows: str) -> list[str]:
    return text(f"<table>{rows}</table>").split("\n")


def test_paragraphs_are_lines_and_line_breaks_of_the_file_are_none() -> None:
    inner = (
        "<paragraph>Take <content styleCode='bold'>one</content>\n   tablet.</paragraph><paragraph>Swallow.</paragraph>"
    )
    assert text(inner) == "Take one tablet.\nSwallow."
    assert text("<paragraph>LIPITOR<br/>10 mg</paragraph>") == "LIPITOR\n10 mg"
    assert text("bare words <linkHtml href='#S5'>5.1</linkHtml>") == "bare words 5.1"
    assert text("<paragraph> </paragraph>") == ""


def test_pictures_are_left_out() -> None:
    assert (
        text(
            "<paragraph>a <renderMultiMedia referencedObject='M'><caption>F 1</caption></renderMultiMedia>b</paragraph>"
        )
        == "a b"
    )


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("2 x 10<sup>6</sup> cells", "2 x 10⁶ cells"),
        ("10<sup>-9</sup>", "10⁻⁹"),
        ("1.73 m<sup>2</sup>", "1.73 m²"),
        ("100 mg/m<sup>2</sup>", "100 mg/m²"),
        ("100 mg<sup>1</sup> daily", "100 mg^1 daily"),
        ("in 25<sup>1</sup> patients", "in 25^1 patients"),
        ("in patients.<sup>1,2</sup> Next", "in patients.¹,² Next"),
        ("25<sup>th</sup>", "25th"),
        ("LIPITOR<sup>®</sup>", "LIPITOR®"),
        ("rate<sup>a</sup> of", "rate^a of"),
        ("C<sub>max</sub>", "Cmax"),
        ("C<sub>33</sub>H<sub>34</sub>", "C33H34"),
        ("CYP450<sub>2D6</sub>", "CYP450_2D6"),
        ("<sup>1</sup>See below", "¹See below"),
        ("<sub>2</sub>", "2"),
    ],
)
def test_raised_and_lowered_figures_change_no_number(inner: str, expected: str) -> None:
    assert text(f"<paragraph>{inner}</paragraph>") == expected


def test_quantities_are_read_from_raised_figures_as_a_reader_would() -> None:
    written = text("<paragraph>10<sup>6</sup> CFU, 100 mg<sup>1</sup>, 50 mg/m<sup>2</sup></paragraph>")
    assert quantities(written) == quantities("10^6 CFU, 100 mg, 50 mg/m2")


def test_lists_have_a_line_an_item() -> None:
    items = "<caption>Do not take</caption><item>with alcohol</item><item>if pregnant</item>"
    written = text(f"<paragraph>Warnings:</paragraph><list listType='unordered'>{items}</list>")
    assert written == "Warnings:\nDo not take\n- with alcohol\n- if pregnant"


def test_an_ordered_list_shows_the_number_or_letter_that_a_reader_sees() -> None:
    items = "<item>shake</item><item><paragraph>open</paragraph></item>"
    assert text(f"<list listType='ordered'>{items}</list>") == "1. shake\n2. open"
    assert text(f"<list listType='ordered' styleCode='LittleAlpha'>{items}</list>") == "a. shake\nb. open"
    captioned = "<list listType='ordered'><item><caption>(i)</caption>shake</item></list>"
    assert text(captioned) == "(i) shake"


def test_a_list_in_a_list_keeps_its_items_apart() -> None:
    inner = "<list><item>adults<list><item>morning</item><item>night</item></list></item><item>children</item></list>"
    assert text(inner) == "- adults\n- morning\n- night\n- children"


def test_a_table_is_rows_with_its_caption_and_head_first() -> None:
    rows = (
        "<caption>Table 1. Dose</caption><col/><tfoot><tr><td>N=5</td><td/></tr></tfoot>"
        "<tbody><tr><td>adults</td><td>10 mg</td></tr></tbody><thead><tr><th>Age</th><th>Dose</th></tr></thead>"
    )
    assert table(rows) == ["Table 1. Dose", "Age | Dose", "adults | 10 mg", "N=5"]


def test_cells_over_several_rows_and_columns_stand_in_each() -> None:
    rows = (
        "<tr><th rowspan='2'>Drug</th><th colspan='2'>Dose</th></tr><tr><th>day 1</th><th>day 2</th></tr>"
        "<tr><td colspan='3'>Adults</td></tr><tr><td/><td/><td/></tr><tr><td>A</td><td>1 mg</td><td>2 mg</td></tr>"
    )
    assert table(rows) == ["Drug | Dose | Dose", "Drug | day 1 | day 2", "Adults", "A | 1 mg | 2 mg"]


def test_a_cell_reaches_down_through_three_rows() -> None:
    rows = "<tr><td>a</td><td rowspan='3'>b</td></tr><tr><td>c</td></tr><tr><td>d</td></tr><tr><td>e</td></tr>"
    assert table(rows) == ["a | b", "c | b", "d | b", "e"]


@pytest.mark.parametrize("span", ["99999999", "-1", "x", "0", "٣"])
def test_a_span_that_cannot_be_costs_nothing(span: str) -> None:
    rows = table(f"<tr><td colspan='{span}' rowspan='{span}'>a</td><td>b</td></tr><tr><td>c</td></tr>")
    assert len("\n".join(rows)) < 1000
    assert rows[0].endswith("b") or span == "99999999"


def test_a_long_cell_is_not_multiplied() -> None:
    rows = table(f"<tr><td colspan='60' rowspan='60'>{'word ' * 100}</td><td>b</td></tr>" + "<tr><td>c</td></tr>" * 50)
    assert len("\n".join(rows)) < 10_000


def test_blocks_in_a_cell_are_kept_apart() -> None:
    cell = "<list><item>take 2 every 4 hours</item><item>no more than 10</item></list>"
    assert table(f"<tr><td>adults</td><td>{cell}</td></tr>") == ["adults | take 2 every 4 hours; no more than 10"]
    assert table("<tr><td>10 mg<br/>N=3908</td><td>x</td></tr>") == ["10 mg N=3908 | x"]
    assert table("<tr><td>First.<list><item>then</item></list></td><td>x</td></tr>") == ["First. then | x"]


def test_footnotes_follow_their_table_and_keep_their_marks() -> None:
    inner = (
        "<table><tr><td>A<footnote ID='f1'>once <content>only</content></footnote></td><td>B<footnoteRef IDREF='f1'/>"
        "</td></tr></table><paragraph>More<footnote>second</footnote>.<footnoteRef IDREF='none'/></paragraph>"
    )
    assert text(inner) == "A* | B*\n* once only\nMore†.\n† second"


def test_there_are_marks_for_many_footnotes() -> None:
    written = text("".join(f"<paragraph>p{n}<footnote>n{n}</footnote></paragraph>" for n in range(8)))
    assert "p6**" in written
    assert "p7††" in written
    many = text("".join(f"<paragraph>p{n}<footnote>n{n}</footnote></paragraph>" for n in range(3000)))
    assert "p2999#3000" in many
    assert len(many) < 100_000


def test_xhtml_says_the_same_in_other_words() -> None:
    inner = (
        "<div><h2>Dose</h2><p>Take <b>one</b>.<br/>Daily.</p><ul><li>a</li></ul><ol type='a'><li>b</li></ol>"
        "<table><thead><tr><th>x</th><th>y</th></tr></thead></table><script>no</script><img src='x'/></div>"
    )
    for space in ("http://www.w3.org/1999/xhtml", ""):
        assert text(inner, space=space) == "Dose\nTake one.\nDaily.\n- a\na. b\nx | y"


def test_unseen_characters_are_removed() -> None:
    assert text("<paragraph>5\u200b0\u202e mg\u00a0daily</paragraph>") == "50 mg daily"


def test_a_heading_is_one_line() -> None:
    source = io.BytesIO(b"<title>1\t Dose<br/>and  <b>use</b></title>")
    assert [narrative.line(title) for title in xml.elements(source, "title")] == ["1 Dose and use"]


def test_a_name_of_a_document_type_that_is_not_loaded_is_read() -> None:
    source = b"<!DOCTYPE text SYSTEM 'x.dtd'><text>5&nbsp;mg<table><tr>&nbsp;<td>a</td></tr></table></text>"
    assert [narrative.text(block) for block in xml.elements(io.BytesIO(source), "text")] == ["5 mg\na"]


def test_words_nested_as_deeply_as_xml_may_be_are_read() -> None:
    assert text("<content>" * 250 + "deep" + "</content>" * 250) == "deep"


def test_tidying_is_normalising() -> None:
    """The quick way gives what `normalised` gives, on text of all kinds that XML can hold."""
    rng = random.Random(7)
    alphabet = "ab1 \n\t\u00a0\u200b\u2028\u202e\u0085é|.\u00ad\U000e0041"
    for _ in range(3000):
        words = "".join(rng.choices(alphabet, k=rng.randrange(12)))
        assert narrative.tidy(words) == narrative.plain(words) == normalised(words), ascii(words)
        strange = words.replace("a", "\x0b").replace("b", "\r")
        assert narrative.plain(strange) == normalised(strange), ascii(strange)
