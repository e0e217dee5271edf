"""The script that makes the drug dictionary: what it refuses, and that the same input gives the same bytes."""

import importlib.util
import io
import pickle
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_drug_dictionary", ROOT / "installers" / "make_drug_dictionary.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_source_that_is_not_the_pinned_one_is_refused(maker: ModuleType, tmp_path: Path) -> None:
    wheel = tmp_path / maker.UNII_WHEEL
    wheel.write_bytes(b"another file")
    with pytest.raises(SystemExit, match="not the pinned file"):
        maker.check(wheel)


def test_a_pickle_that_names_code_is_refused(maker: ModuleType) -> None:
    with pytest.raises(pickle.UnpicklingError):
        maker.DataOnly(io.BytesIO(pickle.dumps(Path))).load()


def test_the_same_lines_give_the_same_bytes(maker: ModuleType, tmp_path: Path) -> None:
    for name in ("one.gz", "two.gz"):
        maker.write_gzip(tmp_path / name, ["aspirin\taspirin"])
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


def rows(maker: ModuleType) -> list[object]:
    return [
        maker.Unii("metformin", "INN", "of", "U1", "metformin"),
        maker.Unii("metformin hydrochloride", "USAN", "of", "U2", "metformin hydrochloride"),
        maker.Unii("glucophage", "", "bn", "U2", "metformin hydrochloride"),
        maker.Unii("pairmet component metformin hydrochloride", "", "bn", "U2", "metformin hydrochloride"),
        maker.Unii("sitagliptin", "INN", "of", "U3", "sitagliptin"),
        maker.Unii("pairmet component sitagliptin", "", "bn", "U3", "sitagliptin"),
        maker.Unii("potassium", "", "of", "U4", "potassium"),
        maker.Unii("potassium chloride", "USAN", "of", "U5", "potassium chloride"),
        maker.Unii("journey", "", "bn", "U3", "sitagliptin"),
    ]


def test_salts_go_back_to_their_parent_and_components_are_joined(maker: ModuleType) -> None:
    given = rows(maker)
    names = maker.from_unii(given, maker.Ingredients(given), maker.Word(frozenset(["journey"]), frozenset()))
    assert names["glucophage"] == names["metformin hydrochloride"] == "metformin"
    assert names["pairmet"] == "metformin + sitagliptin"
    assert names["potassium chloride"] == "potassium chloride"
    assert "journey" not in names


def test_names_that_differ_by_a_hyphen_become_one(maker: ModuleType) -> None:
    assert maker.one_spelling({"alfa-2b": "interferon alfa-2b", "alfa 2b": "interferon"}) == {"alfa-2b": "interferon"}


def test_inflections_are_left_out_only_where_their_base_stays(maker: ModuleType) -> None:
    assert maker.without_inflections(frozenset(["goo", "good", "goods", "batch"])) == ["batch", "goo", "goods"]


def test_a_file_is_read_out_of_a_debian_package(maker: ModuleType, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as files:
        entry = tarfile.TarInfo("./words")
        entry.size = 5
        files.addfile(entry, io.BytesIO(b"batch"))
    raw = b"!<arch>\n"
    for name, content in (("debian-binary", b"2.0"), ("data.tar.xz", packed.getvalue())):
        raw += (
            f"{name:<16}{0:<12}{0:<6}{0:<6}{644:<8}{len(content):<10}`\n".encode()
            + content
            + b"\n" * (len(content) % 2)
        )
    (tmp_path / "some.deb").write_bytes(raw)
    assert maker.deb_member(tmp_path / "some.deb", "./words") == b"batch"
