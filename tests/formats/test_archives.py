"""What publishers pack is opened within limits: gzip, a zip, a zip of zips and no deeper."""

import gzip
import io
import zipfile
from typing import BinaryIO

import pytest

from lumen_desktop.errors import InputError
from lumen_desktop.formats import archives


def packed(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


def read(source: bytes, *endings: str, largest_bytes: int = archives.LARGEST_MEMBER_BYTES) -> dict[str, bytes]:
    found = archives.members(io.BytesIO(source), endings=endings or (".xml",), largest_bytes=largest_bytes)
    return {"!".join(member.names): member.stream.read() for member in found}


def code(source: bytes, **limits: int) -> str:
    with pytest.raises(InputError) as caught:
        read(source, **limits)
    return caught.value.code


def unpacked_code(source: bytes, **limits: int) -> str:
    with pytest.raises(InputError) as caught:
        archives.unpacked(io.BytesIO(source), **limits).read()
    return caught.value.code


def test_members_with_the_endings_asked_for_come_in_order() -> None:
    source = packed({"b.xml": b"1", "folder/": b"", "picture.jpg": b"2", "folder/A.XML": b"3", "n.txt": b"4"})
    assert read(source) == {"b.xml": b"1", "folder/A.XML": b"3"}
    assert read(source, ".txt", ".jpg") == {"picture.jpg": b"2", "n.txt": b"4"}
    assert archives.is_zip(source)
    assert not archives.is_zip(b"<xml>")


def test_a_zip_of_zips_is_read_as_a_release_has_it() -> None:
    inner = packed({"a.xml": b"label", "a.jpg": b"picture"})
    assert read(packed({"rx/one.zip": inner, "two.ZIP": inner})) == {
        "rx/one.zip!a.xml": b"label", "two.ZIP!a.xml": b"label",
    }  # fmt: skip


def test_three_zips_deep_is_refused() -> None:
    deepest = packed({"a.xml": b"label"})
    assert code(packed({"one.zip": packed({"two.zip": deepest})})) == "FMT-004"


def test_an_inner_zip_larger_than_memory_is_laid_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_IN_MEMORY_BYTES", 16)
    assert read(packed({"one.zip": packed({"a.xml": b"label"})})) == {"one.zip!a.xml": b"label"}


@pytest.mark.parametrize("inside", [False, True], ids=["outer", "inner"])
def test_a_bomb_is_refused_before_it_is_unpacked(inside: bool) -> None:  # noqa: FBT001
    bomb = packed({"a.xml": bytes(1_000_000)})
    assert code(packed({"one.zip": bomb}) if inside else bomb, largest_bytes=10_000) == "FMT-005"


def test_an_inner_zip_that_swells_is_refused() -> None:
    outer = packed({"one.zip": bytes(1_000_000)})
    assert code(outer, largest_bytes=10_000) == "FMT-005"


def test_no_zip_a_cut_zip_and_a_damaged_member_are_refused() -> None:
    source = packed({"a.xml": b"words " * 1000})
    assert code(b"PK\x03\x04 and no more") == "FMT-001"
    assert code(source[: len(source) // 2]) == "FMT-001"
    damaged = bytearray(source)
    damaged[45:60] = b"\xff" * 15
    assert code(bytes(damaged)) == "FMT-001"
    assert code(packed({"one.zip": b"no zip at all"})) == "FMT-001"


def test_an_encrypted_member_is_refused() -> None:
    source = bytearray(packed({"a.xml": b"words"}))
    source[source.index(b"PK\x01\x02") + 8] |= 1  # the flag in the directory
    assert code(bytes(source)) == "FMT-007"


def test_gzip_is_unpacked_and_other_files_pass_through() -> None:
    content = b"<xml>" * 100_000
    assert archives.unpacked(io.BytesIO(gzip.compress(content))).read() == content
    assert archives.unpacked(io.BytesIO(content)).read() == content
    assert archives.unpacked(io.BytesIO(b"")).read() == b""


def test_a_stream_that_is_buffered_already_is_taken_as_it_is() -> None:
    source: BinaryIO = io.BufferedReader(io.BytesIO(gzip.compress(b"words")))
    assert archives.unpacked(source).read() == b"words"


def test_gzip_cut_off_damaged_or_swollen_is_refused() -> None:
    source = gzip.compress(bytes(range(256)) * 1000, mtime=0)
    assert unpacked_code(source[:-20]) == "FMT-002"
    damaged = bytearray(source)
    damaged[60:90] = b"\x00" * 30
    assert unpacked_code(bytes(damaged)) == "FMT-001"
    assert unpacked_code(b"\x1f\x8b and no gzip") == "FMT-001"
    assert unpacked_code(gzip.compress(bytes(1_000_000)), largest_bytes=10_000) == "FMT-005"
    assert unpacked_code(b"plain" * 1000, largest_bytes=10) == "FMT-005"
