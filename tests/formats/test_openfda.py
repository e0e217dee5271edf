"""openFDA's label partitions: each word once, tables as rows, and only what openFDA adds about the same label."""

import io
import json
from typing import Any

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats import openfda
from lumen_desktop.formats.document import Fault, Ingredient, PublicDocument
from tests.conftest import SHARED

TABLE = (
    "<table><thead><tr><th>Age</th><th>Dose&nbsp;(mg)</th></tr></thead>"
    "<tbody><tr><td>adults</td><td>5</td></tr></tbody></table>"
)


def partition(*records: Any) -> bytes:
    return json.dumps({"meta": {"license": "x", "results": {"total": len(records)}}, "results": records}).encode()


def record(**fields: Any) -> dict[str, Any]:
    return {"set_id": "ABC-1", "version": "3", "effective_time": "20160126", "openfda": {}, **fields}


def read(source: bytes) -> list[PublicDocument | Fault]:
    return list(openfda.documents(io.BytesIO(source), "drug-label.json"))


def only(**fields: Any) -> PublicDocument:
    (document,) = read(partition(record(**fields)))
    assert isinstance(document, PublicDocument)
    return document


def sections(**fields: Any) -> dict[str, str]:
    return {one.code: one.text for one in only(**fields).sections}


def code(source: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(source)
    return caught.value.code


def test_a_record_states_what_it_is_and_what_it_is_about() -> None:
    added = {
        "spl_set_id": ["abc-1"], "brand_name": ["Zyd"], "generic_name": ["ZYDOLOL"], "substance_name": ["ZYDOLOL HCL"],
        "unii": ["abc1234567"], "rxcui": ["12"], "manufacturer_name": ["Zyd Inc"], "route": ["ORAL"],
        "product_type": ["HUMAN OTC DRUG"], "application_number": ["NDA1"], "pharm_class_epc": ["Zydant [EPC]"],
    }  # fmt: skip
    document = only(openfda=added, warnings=["Warnings: may harm."])
    assert (document.id, document.version, document.as_of, document.licence) == ("abc-1", "3", "2016-01-26", "CC0-1.0")
    assert document.title == "Zyd (ZYDOLOL)"
    assert document.entity.ingredients == (Ingredient("ZYDOLOL HCL", "ABC1234567", "12"),)
    assert document.entity.brands == ("Zyd",)
    assert document.entity.labeler == "Zyd Inc"
    assert document.facts == {
        "document_type_name": "HUMAN OTC DRUG", "generics": ["ZYDOLOL"], "applications": ["NDA1"], "routes": ["ORAL"],
        "classes": ["Zydant [EPC]"], "rxcuis": ["12"], "uniis": ["abc1234567"],
    }  # fmt: skip
    assert [(one.path, one.code, one.text) for one in document.sections] == [(("Warnings",), "34071-1", "may harm.")]


def test_several_substances_are_not_paired_with_codes_that_come_in_another_order() -> None:
    added = {"substance_name": ["A", "B"], "unii": ["BBBBBBBBBB", "AAAAAAAAAA"], "rxcui": ["1", "2"]}
    document = only(openfda=added, warnings=["x"])
    assert document.entity.ingredients == (Ingredient("A"), Ingredient("B"))
    assert document.facts["uniis"] == ["BBBBBBBBBB", "AAAAAAAAAA"]


def test_what_openfda_says_of_another_label_is_not_taken() -> None:
    document = only(openfda={"spl_set_id": ["other"], "substance_name": ["ACETAMINOPHEN"]}, warnings=["x"])
    assert document.entity.ingredients == ()
    assert document.facts == {}


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        ("Secret Mist Aluminum Zirconium Aluminum Zirconium WATER", "Secret Mist"),
        ("Acetaminophen Acetaminophen ACETAMINOPHEN STARCH", "Acetaminophen"),
        ("Ilex aquifolium ILEX AQUIFOLIUM TOP", "Ilex aquifolium"),
        ("Nothing said again", "abc-1"),
        (5, "abc-1"),
    ],
)
def test_a_label_without_openfdas_fields_is_named_by_its_list_of_products(listed: Any, name: str) -> None:
    assert only(spl_product_data_elements=[listed], warnings=["x"], openfda=None).title == name


def test_a_section_holds_no_words_of_a_section_inside_it() -> None:
    found = sections(
        warnings=["Warnings For external use only. Do not use on broken skin. Stop use if a rash occurs. End."],
        do_not_use=["Do not use on broken skin."],
        stop_use=["Stop use if a rash occurs."],
        spl_unclassified_section=["For external use only.", "Drug Facts"],
    )
    assert found["50570-1"] == "Do not use on broken skin."
    assert found["50566-9"] == "Stop use if a rash occurs."
    assert found["34071-1"] == "Warnings For external use only.\nEnd."
    assert found["42229-5"] == "Drug Facts"


def test_what_is_left_of_a_section_is_not_what_stands_elsewhere() -> None:
    inner = {"do_not_use": ["Do not use on broken skin."], "stop_use": ["Stop use if a rash occurs."]}
    found = sections(warnings=["Warnings Do not use on broken skin. Stop use if a rash occurs."], **inner)
    assert set(found) == {"50570-1", "50566-9"}


def test_the_same_text_in_two_fields_stands_once() -> None:
    text = "Uses: relieves pain for a short while."
    assert sections(purpose=[text], indications_and_usage=[text]) == {"55105-1": text}


def test_a_record_made_to_take_hours_does_not() -> None:
    many = [f"text number {n:015d}" for n in range(5000)]
    found = sections(warnings=[*many, "<" * 100_000], warnings_table=["<" * 100_000], description=[" ".join(many)])
    assert set(found) == {"34071-1", "34089-3"}


def test_short_words_are_not_cut_out_of_sentences() -> None:
    found = sections(warnings=["Keep away from heat at all times."], purpose=["heat"])
    assert found["34071-1"] == "Keep away from heat at all times."


def test_a_table_stands_as_rows_where_its_words_stood_in_a_line() -> None:
    found = sections(
        dosage_and_administration=["Directions Age Dose (mg) adults 5 Swallow whole."],
        dosage_and_administration_table=[TABLE],
        how_supplied_table=[TABLE],
    )
    assert found == {"34068-7": "Directions\nAge | Dose (mg)\nadults | 5\nSwallow whole."}


def test_a_table_without_a_text_is_a_section_and_a_broken_one_changes_nothing() -> None:
    assert sections(how_supplied_table=[TABLE, "<table><td>cut"]) == {"34069-5": "Age | Dose (mg)\nadults | 5"}
    broken = sections(description=["Age Dose (mg)"], description_table=["<table>Age<td>Dose (mg)", "<table/>", "x"])
    assert broken == {"34089-3": "Age Dose (mg)"}


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("indications_and_usage", "1 INDICATIONS AND USAGE For pain", "For pain"),
        ("indications_and_usage", "INDICATIONS & USAGE For pain", "For pain"),
        ("indications_and_usage", "Indications and usage: For pain", "For pain"),
        ("indications_and_usage", "Indications and usage may differ.", "Indications and usage may differ."),
        ("do_not_use", "DO NOT USE if pregnant", "DO NOT USE if pregnant"),
        ("when_using", "When using this product do not drive", "When using this product do not drive"),
        ("warnings", "WARNINGSIGN", "WARNINGSIGN"),
    ],
)
def test_only_a_clear_heading_is_taken_off(field: str, text: str, expected: str) -> None:
    assert list(sections(**{field: [text]}).values()) == [expected]


def test_sections_come_in_a_labels_order_whatever_the_files() -> None:
    document = only(overdosage=["c"], adverse_reactions=["b"], boxed_warning=["a"], unknown_field=["d"])
    assert [one.text for one in document.sections] == ["a", "b", "c"]


def test_records_that_cannot_be_used_are_faults_and_the_next_is_read() -> None:
    first, second, third = read(partition({"openfda": {}}, record(warnings=["Warnings"]), record(warnings="x")))
    assert isinstance(first, Fault)
    assert isinstance(second, Fault)
    assert isinstance(third, PublicDocument)
    assert (first.where, first.reason, second.where, second.reason) == ("record 1", "no-id", "abc-1", "no-text")


@pytest.mark.parametrize(
    "source",
    [
        b'{"data": []}',
        b'{"meta": {}, "data": [1]}',
        b'{"meta": {}, "results": ["label"]}',
        b'{"meta": {}, "results": [{"safetyreportid": "1"}]}',
        b"",
        b"<xml/>",
    ],
)
def test_another_format_is_refused(source: bytes) -> None:
    assert code(source) == "FMT-003"


def test_broken_and_cut_files_are_refused() -> None:
    whole = partition(record(warnings=["x"]), record(warnings=["y"]))
    assert code(whole[:-30]) == "FMT-002"
    assert code(whole.replace(b'"y"', b"'y'")) == "FMT-001"
    assert code(whole.replace(b'"y"', b'"\xff"')) == "FMT-001"


def test_a_partition_without_labels_is_empty() -> None:
    assert read(partition()) == []


@pytest.mark.skipif(not (SHARED / "openfda").is_dir(), reason="needs ../shared/data/openfda")
def test_the_sample_is_read_and_a_neighbours_names_are_not_taken() -> None:
    found = read((SHARED / "openfda" / "drug-label-sample.json").read_bytes())
    labels = [one for one in found if isinstance(one, PublicDocument)]
    assert len(labels) == len(found) == 5
    assert labels[0].entity.ingredients == ()  # its openFDA block is that of an acetaminophen label
    assert labels[1].title == "Secret Brazil Clear Rainforest Mist"
    assert [one.name for one in labels[4].entity.ingredients] == ["ACETAMINOPHEN"]
    dose = next(one.text for one in labels[3].sections if one.code == "34068-7")
    assert "children under 12 years | ask a doctor" in dose
    assert dose.count("children under 12 years") == 1
