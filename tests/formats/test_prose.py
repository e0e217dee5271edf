"""Mixed content becomes lines, and no number changes its value on the way."""

import io

import pytest

from lumen_desktop.domain.library import normalised
from lumen_desktop.formats.prose import FORMULA, Prose, line, lowered, raised
from lumen_desktop.formats.xml import Element, elements

PROSE = Prose(
    blocks=frozenset({"p", "item"}),
    left_out=frozenset({"fig"}),
    formulae=frozenset({"math"}),
    fractions=frozenset({"FR"}),
    raised=frozenset({"sup", "E51"}),
    lowered=frozenset({"sub", "E52"}),
    told_by={"E": "T"},
)


def parsed(inside: str) -> Element:
    return next(elements(io.BytesIO(f"<root>{inside}</root>".encode()), "root"))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10<sup>6</sup> CFU/mL", "10⁶ CFU/mL"),
        ("10<sup>-3</sup> M", "10⁻³ M"),
        ("10<sup>\u22123</sup> M", "10⁻³ M"),
        ("2<sup>1.5</sup>", "2^(1.5)"),
        ("kg/m<sup>2</sup>", "kg/m²"),
        ("Ca<sup>2+</sup>", "Ca²⁺"),
        ("<sup>14</sup>C", "¹⁴C"),
        ("the 1<sup>st</sup> day", "the 1st day"),
        ("Lipitor<sup>TM</sup>", "LipitorTM"),
        ("5<sup>a</sup> of 9", "5^a of 9"),
        ("as shown<sup>1, 2</sup>", "as shown¹, ²"),
        ("H<sub>2</sub>O, log<sub>10</sub>", "H2O, log10"),
        ("A<sub>550 </sub>values", "A550 values"),
        ("12<sub>3</sub>", "12_3"),
        ("2<FR>1/2</FR> hours, <FR>1/2</FR> hour", "2 1/2 hours, 1/2 hour"),
        ('10<E T="51">6</E> and CO<E T="52">2</E>', "10⁶ and CO2"),
        ('the <E T="03">Act</E> holds', "the Act holds"),
        ("x<sup> </sup>y", "x y"),
        ("5<sup/> mg", "5 mg"),
        ("x<sup><math/></sup>", f"x{FORMULA}"),
        ("rate <math><mn>1</mn><mn>0</mn></math> per day", f"rate {FORMULA} per day"),
        ("before<fig>Figure 1</fig>after", "beforeafter"),
        ("5\n   mg\tdaily", "5 mg daily"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_text(written: str, read: str) -> None:
    assert PROSE.text(parsed(written)) == read


def test_blocks_stand_on_lines_of_their_own() -> None:
    assert PROSE.lines(parsed("lead<p>one <b>bold</b></p><item>two</item> end")) == ["lead", "one bold", "two", "end"]


def test_a_named_entity_of_an_unread_document_type_is_its_character() -> None:
    source = b'<!DOCTYPE root SYSTEM "x.dtd"><root>5&nbsp;mg &alpha;</root>'
    assert PROSE.text(next(elements(io.BytesIO(source), "root"))) == "5 mg \u03b1"


def test_a_table_keeps_its_columns_in_line() -> None:
    table = (
        "<table><thead><tr><th rowspan='2'>Dose</th><th colspan='2'>Patients</th></tr><tr><th>n</th><th>%</th></tr>"
        "</thead><tbody><tr><td>5 mg</td><td>12</td><td>40</td></tr><tr><td/><td/><td/></tr>"
        "<tr><td rowspan='2'>10 mg</td><td>18</td><td>60</td></tr><tr><td>20</td><td>66</td></tr></tbody></table>"
    )
    assert PROSE.lines(parsed(f"before{table}after")) == [
        "before", "Dose | Patients | Patients", "Dose | n | %", "5 mg | 12 | 40", "10 mg | 18 | 60", "10 mg | 20 | 66",
        "after",
    ]  # fmt: skip


def test_an_absurd_span_is_one_cell_or_cut() -> None:
    row = "<table><tr><td colspan='x'>a</td><td colspan='0'>b</td><td rowspan='-3'>c</td></tr></table>"
    assert PROSE.lines(parsed(row)) == ["a | b | c"]
    wide = "<table><tr><td colspan='9999'>a</td></tr></table>"
    assert PROSE.lines(parsed(wide))[0].count("|") == 199


def test_line_is_what_normalised_makes_of_it() -> None:
    for text in ("a  b\nc", "soft\u00adhyphen", "no\u00a0break", "plain", "", "tag\U000e0041s"):
        assert line(text) == normalised(" ".join(text.split()))


def test_nothing_before_a_raised_or_lowered_figure() -> None:
    assert raised("3", "") == "³"
    assert raised("a", "") == "a"
    assert lowered("2", "") == "2"
