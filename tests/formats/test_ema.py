"""EU leaflets: JSON lines and ePI bundles, named by authorisation and language."""

import io
import json
from typing import Any

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats import ema
from lumen_desktop.formats.document import Fault, PublicDocument
from tests.conftest import SHARED


def leaflet(**fields: Any) -> dict[str, Any]:
    sections = [
        {"title": "1. What Zyd is", "text": "Zyd is for pain."},
        {
            "title": "6. Contents of the pack",
            "text": "What Zyd contains\n- The active substance is zydolol. Each tablet",
        },
    ]
    return {"product": "Zyd", "ema_id": "EU/1/17/1242/001", "lang": "en", "sections": sections, **fields}


def lines(*values: Any) -> bytes:
    return b"".join((value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n" for value in values)


def bundle(*resources: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "document", "entry": [{"resource": one} for one in resources], **fields}


def composition(**fields: Any) -> dict[str, Any]:
    div = '<div xmlns="http://www.w3.org/1999/xhtml"><p>Take 5&nbsp;mg</p><div><ul><li>daily</li></ul></div></div>'
    inner = {"title": "3.1 Adults", "text": {"div": "<div><p>cut"}, "section": [{"text": {"div": "<p>10 mg</p>"}}]}
    section = {
        "title": "3. How to take Zyd",
        "code": {"coding": [{"code": "x"}]},
        "text": {"div": div},
        "section": [inner],
    }
    return {
        "resourceType": "Composition", "id": "c1", "language": "sv-SE", "title": "Zyd leaflet",
        "date": "2024-02-03T10:00", "section": [section], **fields,
    }  # fmt: skip


def read(source: bytes) -> list[PublicDocument | Fault]:
    return list(ema.documents(io.BytesIO(source), "leaflets.jsonl"))


def only(value: Any) -> PublicDocument:
    (document,) = read(lines(value))
    assert isinstance(document, PublicDocument)
    return document


def code(source: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(source)
    return caught.value.code


def substances(words: str) -> list[str]:
    sections = [{"title": "6. Contents", "text": words}]
    return [one.name for one in only(leaflet(sections=sections)).entity.ingredients]


def test_a_leaflet_by_line_states_what_it_is() -> None:
    document = only(leaflet())
    assert (document.id, document.kind, document.language) == ("EU/1/17/1242/001:en", "leaflet", "en")
    assert (document.title, document.licence) == ("Zyd package leaflet", "LicenseRef-EMA-Reuse")
    assert document.entity.brands == ("Zyd",)
    assert [one.name for one in document.entity.ingredients] == ["zydolol"]
    assert [(one.path, one.code) for one in document.sections] == [
        (("1. What Zyd is",), "1"), (("6. Contents of the pack",), "6"),
    ]  # fmt: skip
    assert document.facts == {"authorisation": "EU/1/17/1242/001"}


@pytest.mark.parametrize(
    ("written", "identity"),
    [
        ("EU/1/13/823/001 (5 single-dose inhalers)", "EU/1/13/823/001:en"),
        ("25 mg: EU/1/08/468/003", "EU/1/08/468/003:en"),
        ("EU/1/12/773/004-006", "EU/1/12/773/004:en"),
        ("PL 12345/0001", "PL 12345/0001:en"),
    ],
)
def test_a_number_is_taken_out_of_what_is_written_around_it(written: str, identity: str) -> None:
    assert only(leaflet(ema_id=written)).id == identity


def test_a_language_is_only_the_one_stated_and_each_has_its_own_text() -> None:
    assert only(leaflet(lang="DE")).language == "de"
    assert only(leaflet(lang="DE")).id.endswith(":de")
    assert only(leaflet(lang=None)).language == ""


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("The active substance is zydolol.", ["zydolol"]),
        (
            "The active substances are a-one, b-two and c-three acetate. One tablet",
            ["a-one", "b-two", "c-three acetate"],
        ),
        ("The active ingredient in Zyd is called zydolol. The vial", ["zydolol"]),
        ("The active substance is zydolol 100 mg.", ["zydolol"]),
        ("The active substance is zydolol (as hydrochloride).", ["zydolol"]),
        ("The active substance is human alpha1-inhibitor. One", ["human alpha1-inhibitor"]),
        ("The active substance is zydolol Each tablet contains", ["zydolol"]),
        ("The active substance is a concentrate of many things.", []),
        ("The active substance is 5 strains", []),
        ("Each mL holds 30 mg of zydolol.", []),
    ],
)
def test_active_substances_are_read_from_the_templates_words(words: str, names: list[str]) -> None:
    assert substances(words) == names


def test_active_substances_are_read_only_where_the_template_has_them() -> None:
    sections = [{"title": "2. Before", "text": "The active ingredient is excreted in milk."}]
    assert only(leaflet(sections=sections)).entity.ingredients == ()


def test_a_product_named_as_its_substance_has_no_brand() -> None:
    assert only(leaflet(product="Zydolol")).entity.brands == ()


def test_records_that_cannot_be_used_are_faults_and_the_next_is_read() -> None:
    found = read(lines(leaflet(ema_id=""), leaflet(sections=[{"title": "x", "text": " "}]), b"no json", b"", leaflet()))
    faults = [(one.where, one.reason) for one in found if isinstance(one, Fault)]
    assert faults == [("record 1", "no-id"), ("EU/1/17/1242/001:en", "no-text"), ("record 3", "wrong-form")]
    assert isinstance(found[-1], PublicDocument)


def test_a_bundle_states_what_it_is() -> None:
    product = {
        "resourceType": "MedicinalProductDefinition", "name": [{"productName": "Zyd 5 mg"}],
        "identifier": [{"value": "EU/1/22/1701/001"}],
    }  # fmt: skip
    active = {
        "resourceType": "Ingredient", "role": {"coding": [{"display": "Active"}]},
        "substance": {"code": {"concept": {"text": "zydolol"}}},
    }  # fmt: skip
    other = {**active, "role": {"text": "inactive"}}
    document = only(bundle(composition(), product, active, other, "no resource", meta={"versionId": "4"}))  # type: ignore[arg-type]
    assert (document.id, document.language, document.version) == ("EU/1/22/1701/001:sv", "sv", "4")
    assert (document.as_of, document.title, document.kind) == ("2024-02-03", "Zyd 5 mg Zyd leaflet", "leaflet")
    assert [one.name for one in document.entity.ingredients] == ["zydolol"]
    assert document.entity.brands == ("Zyd 5 mg",)
    assert [(one.path, one.code, one.text) for one in document.sections] == [
        (("3. How to take Zyd",), "3", "Take 5 mg\n- daily"), (("3. How to take Zyd", "3.1 Adults"), "", "10 mg"),
    ]  # fmt: skip


def test_a_summary_and_a_leaflet_of_one_product_are_two_documents() -> None:
    summary = composition(type={"text": "Summary of Product Characteristics"}, identifier=[{"value": "EU/1/1/1"}])
    found = read(lines(bundle(composition(), summary, identifier={"value": "b1"})))
    kinds = {one.id: one.kind for one in found if isinstance(one, PublicDocument)}
    assert kinds == {"b1:sv": "leaflet", "EU/1/1/1:sv:Summary of Product Characteristics": "label"}


def test_bundles_may_stand_over_several_lines_or_one_each() -> None:
    value = bundle(composition())
    assert len(read(json.dumps(value, indent=2).encode())) == 1
    assert len(read(lines(value, value))) == 2


def test_bundles_that_cannot_be_used_are_faults() -> None:
    nameless = composition(id="", language="")
    empty = composition(section=[{"title": "x", "text": {"div": 5}}])
    found = read(lines(bundle(), bundle(nameless), bundle(empty)))
    assert [(one.where, one.reason) for one in found if isinstance(one, Fault)] == [
        ("record 1", "wrong-form"), ("record 2", "no-id"), ("c1:sv", "no-text"),
    ]  # fmt: skip


def test_sections_nested_without_end_are_read_to_a_depth() -> None:
    inner: dict[str, Any] = {"title": "deep", "text": {"div": "<p>deepest</p>"}}
    for _ in range(150):
        inner = {"text": {"div": "<p>x</p>"}, "section": [inner]}
    texts = [one.text for one in only(bundle(composition(section=[inner]))).sections]
    assert set(texts) == {"x"}


@pytest.mark.parametrize("source", [b"", b"<xml/>", b"[1]", b'{"results": []}\n', b"5\n", b"{\n}"])
def test_another_format_is_refused(source: bytes) -> None:
    assert code(source) == "FMT-003"


def test_files_cut_off_are_refused() -> None:
    assert code(lines(leaflet(), leaflet())[:-20]) == "FMT-002"
    assert code(lines(leaflet())[:-20]) == "FMT-002"
    assert code(json.dumps(bundle(composition()), indent=2).encode()[:-20]) == "FMT-002"


def test_what_is_larger_than_a_leaflet_can_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ema, "LARGEST_BYTES", 64)
    assert code(lines(leaflet())) == "FMT-005"
    assert code(b"{\n" + b" " * 100) == "FMT-005"


def test_hostile_nesting_is_refused() -> None:
    assert code(b"[" * 100_000) == "FMT-003"


@pytest.mark.skipif(not (SHARED / "ema_leaflets").is_dir(), reason="needs ../shared/data/ema_leaflets")
def test_the_leaflets_are_read_with_their_substances() -> None:
    with (SHARED / "ema_leaflets" / "leaflets_150.jsonl").open("rb") as stream:
        found = list(ema.documents(stream, "leaflets_150.jsonl"))
    leaflets = [one for one in found if isinstance(one, PublicDocument)]
    assert len(leaflets) == len({one.id for one in leaflets}) == 150
    assert sum(len(one.sections) for one in leaflets) == 900
    assert {one.language for one in leaflets} == {"en"}
    assert sum(bool(one.entity.ingredients) for one in leaflets) >= 135
    assert all(section.code in "123456" for one in leaflets for section in one.sections)
