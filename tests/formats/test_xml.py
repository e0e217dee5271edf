"""Streaming of XML: what is yielded, what is freed, and what no file may do."""

import io
from pathlib import Path

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats import xml


def texts(source: str | bytes, *tags: str) -> list[str]:
    stream = io.BytesIO(source.encode() if isinstance(source, str) else source)
    return [xml.words(element) for element in xml.elements(stream, *tags)]


def refusal(source: str | bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        texts(source, "a")
    return caught.value


def test_elements_come_in_document_order_with_all_their_words() -> None:
    assert texts("<r><a>1</a><b>2</b><a>3<i>4</i>5</a></r>", "a", "b") == ["1", "2", "345"]


def test_a_namespace_is_part_of_the_name() -> None:
    source = '<r xmlns:h="urn:h"><h:a>in</h:a><a>out</a></r>'
    assert texts(source, "{urn:h}a") == ["in"]
    (element,) = [xml.local(e) for e in xml.elements(io.BytesIO(source.encode()), "{urn:h}a")]
    assert element == "a"


def test_an_element_is_emptied_when_the_next_is_asked_for() -> None:
    found: list[xml.Element] = []
    for element in xml.elements(io.BytesIO(b"<r><x>y</x><a>1</a><x>y</x><a>2</a></r>"), "a"):
        assert all(before.text is None for before in found)
        found.append(element)
    first, second = found
    assert (first.getparent(), second.getprevious()) == (None, None)  # nothing of the file is held


def test_comments_and_instructions_are_no_words() -> None:
    assert texts("<r><a>one<!-- hidden --> two<?php x?></a></r>", "a") == ["one two"]


def test_a_name_of_an_external_document_type_becomes_its_character() -> None:
    source = '<!DOCTYPE r SYSTEM "nowhere.dtd"><r><a>5&nbsp;mg &beta;<i>x</i>&mu; end</a></r>'
    assert texts(source, "a") == ["5\u00a0mg βxμ end"]


def test_an_external_entity_is_refused_and_its_file_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret words")
    source = f'<!DOCTYPE r [<!ENTITY e SYSTEM "{secret.as_uri()}">]><r><a>&e;</a></r>'
    assert refusal(source).code == "FMT-006"


def test_entities_that_would_swell_are_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    source = f'<!DOCTYPE r [<!ENTITY l0 "ha">{laughs}]><r><a>&l8;</a></r>'
    assert refusal(source).code in {"FMT-001", "FMT-006"}  # libxml2 may see it first


def test_a_document_type_that_declares_no_entities_is_read() -> None:
    assert texts("<!DOCTYPE r [<!ELEMENT r ANY>]><r><a>1</a></r>", "a") == ["1"]


@pytest.mark.parametrize(
    "source", ["<r><a>1</a><a>2", "<r><a>1</a>", "", "<r><a>1</a></r", "<r><a>1</a>\n  <b x='"], ids=str
)
def test_a_file_cut_off_says_so(source: str) -> None:
    assert refusal(source).code == "FMT-002"


@pytest.mark.parametrize("source", ["<r><a>1</b></r>", "<r>&unknown;<a/></r>", "<r><a x=1/></r>", "<r/><r/>"], ids=str)
def test_a_mistake_is_named_with_its_line(source: str) -> None:
    error = refusal("\n\n" + source)
    assert error.code == "FMT-001"
    assert "line 3" in error.message


def test_elements_before_a_mistake_were_read() -> None:
    found: list[str] = []
    with pytest.raises(InputError):
        found.extend(element.text for element in xml.elements(io.BytesIO(b"<r><a>1</a><a>2</c></r>"), "a"))
    assert found == ["1"]


def test_a_file_nested_without_end_is_refused() -> None:
    assert refusal("<r>" + "<i>" * 10_000).code == "FMT-001"


def test_a_mistake_at_the_very_end_of_a_whole_file_is_no_cut() -> None:
    assert refusal(b"<r><a>\xff</a></r>").code == "FMT-001"
