"""The fonts are those of the pinned Debian packages, may be embedded, and cover what the module says."""

import hashlib
import struct
from pathlib import Path

import pytest

from lumen_desktop import paths
from lumen_desktop.errors import StorageError
from lumen_desktop.rendering import pdf
from lumen_desktop.rendering.typesetting import Face

DIGESTS = {
    "DejaVuSansMono": "0f5db4f1749979d961019838b160bec74abdf7f9eca69553fe1aa856bbff49a4",
    "NotoSans-Bold": "e83493c945848ecd4a9ad0f6d19164541a0d3e23a9c952304a00a46e00272ac5",
    "NotoSans-Italic": "5d7618dda819443fd07301c84adcee9fe8960c873ea5e5e1f0f59db384b78082",
    "NotoSans-Regular": "89c3c497f618fdaa0b2d1e98fef93582f28c71debd2c4a8cdf41f190ced2909d",
}
LETTERS = "ÀÿĀžŁőșΑωάЀЯѣҐўẠỹ"
SIGNS = "≥≤≠≈±µμ½¼→←↑↓⇒✓✗☐☑☒⚠°‰•–—…“”€£™®©²³₂\N{MULTIPLICATION SIGN}÷√∞∑Δ∂\N{PRIME}″⌀■□●○"


def data(face: Face) -> bytes:
    return (paths.resources() / "fonts" / f"{face.value}.ttf").read_bytes()


@pytest.mark.parametrize("face", Face)
def test_a_font_is_the_one_that_was_taken_in(face: Face) -> None:
    assert hashlib.sha256(data(face)).hexdigest() == DIGESTS[face.value]


@pytest.mark.parametrize("face", Face)
def test_a_font_may_be_embedded_without_restriction(face: Face) -> None:
    font = data(face)
    tables = {font[at : at + 4]: at for at in range(12, 12 + 16 * struct.unpack(">H", font[4:6])[0], 16)}
    offset = struct.unpack(">I", font[tables[b"OS/2"] + 8 : tables[b"OS/2"] + 12])[0]
    assert struct.unpack(">H", font[offset + 8 : offset + 10])[0] == 0  # fsType: installable


@pytest.mark.parametrize("face", Face)
def test_letters_of_europe_stand_in_every_text_face_and_signs_in_one(face: Face) -> None:
    widths = pdf._faces()
    if face is not Face.MONO:
        assert not [letter for letter in LETTERS if ord(letter) not in widths[face]]
    assert not [sign for sign in SIGNS if ord(sign) not in widths[face] and ord(sign) not in widths[Face.MONO]]


def test_a_missing_font_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "resources", lambda: tmp_path)
    with pytest.raises(StorageError, match="font") as raised:
        pdf._faces.__wrapped__()
    assert raised.value.code == "PDF-001"
