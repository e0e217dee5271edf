"""What the bundle promises: whole or refused, at any size, with what it says of itself within limits."""

import datetime as dt
import hashlib
import json
import os
import random
import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from lumen_desktop.bundle import (
    BuildBundle,
    BuildManifest,
    Signer,
    Waiver,
    container,
    extract,
    gguf_check,
    manifest,
    open_part,
    read_manifest,
    seal,
    seals,
    write,
)
from lumen_desktop.errors import BundleError
from tests.bundle import tiny_model
from tests.bundle.conftest import DIGEST, Judge, code_of, facts, files, made_root


def test_what_was_written_is_read_back(bundle: Path, judge: Judge, tmp_path: Path) -> None:
    verified = judge(bundle)
    assert verified.manifest == read_manifest(bundle)
    assert verified.sealed_by == ("trainer", "quality", "release")
    assert [part.name for part in verified.manifest.parts] == list(files(tmp_path / "parts"))
    for name, source in files(tmp_path / "parts").items():
        target = tmp_path / f"out-{name}"
        extract(bundle, name, target, manifest=verified.manifest)
        assert target.read_bytes() == source.read_bytes()
        with open_part(bundle, name) as part:
            assert part.read() == source.read_bytes()
            part.seek(-3, os.SEEK_END)
            assert part.read(99) == source.read_bytes()[-3:]


def test_the_same_facts_and_files_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, facts(), files(tmp_path / "parts"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def patched(path: Path) -> Iterator[tuple[int, int]]:
    """Yields every byte's place with the byte changed meanwhile."""
    draw = random.Random(5)
    content = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for place, byte in enumerate(content):
            file.seek(place)
            file.write(bytes([byte ^ draw.randrange(1, 256)]))
            yield place, byte
            file.seek(place)
            file.write(bytes([byte]))


def test_one_flipped_byte_anywhere_is_refused(bundle: Path, judge: Judge) -> None:
    accepted = []
    for place, _byte in patched(bundle):
        try:
            judge(bundle)
            accepted.append(place)
        except BundleError as error:
            assert error.code in {"BUN-001", "BUN-002", "BUN-003", "BUN-004", "BUN-017"}  # noqa: PT017 - in a loop
    assert not accepted
    assert judge(bundle).manifest.build == 7


FLIPS = 100  # 500 were, by hand


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, publishers: tuple[Signer, ...]) -> Path:
    """A bundle of 50 MB."""
    folder = tmp_path_factory.mktemp("large")
    draw = random.Random(1)
    papers = {f"paper_{number}.txt": draw.randbytes(5_000_000) for number in range(10)}
    path = folder / "large.lumenbuild"
    write(path, facts(), files(folder / "parts", **papers))
    for publisher in publishers:
        seal(path, publisher)
    return path


def test_flipped_bytes_of_a_large_file_are_refused(large: Path, judge: Judge) -> None:
    draw, size = random.Random(2), large.stat().st_size
    assert size > 50_000_000
    with large.open("r+b", buffering=0) as file:
        for _ in range(FLIPS):
            place = draw.randrange(size)
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ (1 << draw.randrange(8))]))
            assert judge.code(large) in {"BUN-003", "BUN-004"}, place
            file.seek(place)
            file.write(bytes([byte]))
    judge(large)


def test_a_file_cut_short_is_refused(bundle: Path, judge: Judge) -> None:
    content = bundle.read_bytes()
    for percent in range(100):
        bundle.write_bytes(content[: len(content) * percent // 100])
        assert judge.code(bundle) == ("BUN-002" if percent else "BUN-001")
    bundle.write_bytes(content[:-1])
    assert judge.code(bundle) == "BUN-002"


def test_bytes_after_the_end_are_refused(bundle: Path, judge: Judge) -> None:
    with bundle.open("ab") as file:
        file.write(b"\0")
    assert judge.code(bundle) == "BUN-003"


def test_parts_that_changed_places_are_refused(tmp_path: Path, publishers: tuple[Signer, ...], judge: Judge) -> None:
    path = tmp_path / "two.lumenbuild"
    one, other = b"1" * 100, b"2" * 100
    write(path, facts(), files(tmp_path / "parts", **{"one.txt": one, "other.txt": other}))
    for publisher in publishers:
        seal(path, publisher)
    judge(path)
    path.write_bytes(path.read_bytes().replace(one + other, other + one))
    with pytest.raises(BundleError, match=r"one\.txt") as caught:
        judge(path)
    assert caught.value.code == "BUN-003"


def test_what_is_no_bundle_is_said(tmp_path: Path, judge: Judge) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(tiny_model.model())
    assert judge.code(path) == "BUN-001"
    assert judge.code(tmp_path / "none") == "BUN-015"
    os.mkfifo(tmp_path / "pipe")
    assert judge.code(tmp_path / "pipe") == "BUN-001"
    path.write_bytes(b"")
    assert judge.code(path) == "BUN-001"


def test_a_newer_form_is_said(bundle: Path, judge: Judge) -> None:
    content = bytearray(bundle.read_bytes())
    content[len(container.MAGIC)] = 2
    bundle.write_bytes(content)
    assert judge.code(bundle) == "BUN-017"


def test_an_expired_build_or_root_file_is_refused(bundle: Path, publishers: tuple[Signer, ...], judge: Judge) -> None:
    judge(bundle, today=dt.date(2027, 1, 1))
    assert judge.code(bundle, today=dt.date(2027, 1, 2)) == "BUN-011"
    later = made_root(*publishers, expires=dt.date(2030, 1, 1))
    judge(bundle, root=later, today=dt.date(2027, 11, 23))
    assert judge.code(bundle, root=later, today=dt.date(2027, 11, 24)) == "BUN-007"


def test_a_build_for_a_newer_app_is_refused(tmp_path: Path, publishers: tuple[Signer, ...], judge: Judge) -> None:
    path = tmp_path / "newer.lumenbuild"
    write(path, facts(min_app="0.10.0"), files(tmp_path / "parts"))
    for publisher in publishers:
        seal(path, publisher)
    assert judge.code(path, app_version="0.9.3") == "BUN-008"
    judge(path, app_version="0.10.0.dev1")


def test_an_older_build_than_the_last_is_refused(bundle: Path, judge: Judge) -> None:
    judge(bundle, last_build=6)
    judge(bundle, last_build=7)
    assert judge.code(bundle, last_build=8) == "BUN-009"


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "a" * 61}, {"name": "../up"}, {"name": "Ä"}, {"name": ""}, {"build": 0}, {"build": 10**9 + 1},
        {"build": True}, {"build": 1.0}, {"created": "2026-11-31"}, {"created": "20261123"}, {"expires": "soon"},
        {"base_model": "x" * 201}, {"base_model": "a\nb"}, {"base_revision": ""}, {"base_licence": "MIT or so"},
        {"quantisation": "q4"}, {"architecture": "x" * 41}, {"parameters": 0}, {"parameters": 10**12 + 1},
        {"context_tokens": 2**24 + 1}, {"vocabulary": 2**22 + 1}, {"prose": 1}, {"min_app": "1.0"},
        {"template_sha256": "AB" * 32}, {"tokenizer_sha256": "ab" * 31}, {"gate": "MAYBE"},
        {"gate": "FAIL"},  # and prose
        {"gate": "WAIVED"},  # and nobody answers for it
        {"waivers": (Waiver("3", "somebody", "a reason"),)},
        {"non_commercial": 0}, {"waivers": [1]}, {"base_model": "\ud800"},
    ],
)  # fmt: skip
def test_a_fact_outside_its_limit_cannot_be_stated(changes: dict[str, Any]) -> None:
    assert code_of(lambda: facts(**changes)) == "BUN-004"


@pytest.mark.parametrize(
    "name", ["a/b", "a\\b", "..", ".hidden", "nul", "CON.txt", "a.", "x" * 81, "é.txt", "", "a b", "NOTICE\n"]
)
def test_a_part_has_a_plain_name(name: str) -> None:
    assert code_of(lambda: manifest.Part(name, 1, DIGEST, "text/plain")) == "BUN-004"


def test_parts_are_limited() -> None:
    assert code_of(lambda: manifest.Part("a.pdf", 64 * 1024**2 + 1, DIGEST, "application/pdf")) == "BUN-004"
    assert code_of(lambda: manifest.Part("model.gguf", 64 * 1024**3 + 1, DIGEST, "a/b")) == "BUN-004"
    many = tuple(manifest.Part(f"part{number}", 1, DIGEST, "text/plain") for number in range(65))
    assert code_of(lambda: facts(parts=many)) == "BUN-004"
    twice = (manifest.Part("NOTICE", 1, DIGEST, "text/plain"), manifest.Part("notice", 1, DIGEST, "text/plain"))
    assert code_of(lambda: facts(parts=twice)) == "BUN-004"
    assert code_of(lambda: facts().part("none")) == "BUN-013"


def untrusted(**changes: Any) -> bytes:
    values = json.loads(read_values())
    values.update(changes)
    return rfc8785.dumps(values)


def read_values() -> bytes:
    parts = tuple(
        manifest.Part(name, 1, digest, "text/plain")
        for name, digest in (
            ("model.gguf", DIGEST),
            ("chat_template.jinja", facts().template_sha256),
            ("golden_prompts.jsonl", facts().golden_sha256),
        )
    )
    return facts(parts=parts).to_bytes()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "BUN-003"), (b"[]", "BUN-003"), (b"{", "BUN-003"), (b"{} ", "BUN-003"), (b'{"a":1,"a":1}', "BUN-003"),
        (b'{"b":1,"a":1}', "BUN-003"), (b'{"a":NaN}', "BUN-003"), (b'{"a":1e400}', "BUN-003"),
        (b"[" * 100_000, "BUN-003"), (b'{"a":"\xff"}', "BUN-003"), (b"\xef\xbb\xbf{}", "BUN-003"),
        (b'{"schema":"lumen-build/2"}', "BUN-017"), (b'{"schema":"lumen-build/1"}', "BUN-004"),
    ],
)  # fmt: skip
def test_a_manifest_in_another_form_is_refused(content: bytes, code: str) -> None:
    assert code_of(lambda: BuildManifest.from_bytes(content)) == code


def test_a_manifest_with_a_field_more_or_another_kind_is_refused() -> None:
    assert BuildManifest.from_bytes(read_values()).to_bytes() == read_values()
    wrong: list[dict[str, Any]] = [
        {"more": 1}, {"parts": 1}, {"parts": [1]}, {"parts": [{}]}, {"parts": []}, {"waivers": [{"check": "1"}]},
        {"template_sha256": "0" * 64}, {"golden_sha256": "0" * 64}, {"build": "7"}, {"parameters": 2**53 - 1},
    ]  # fmt: skip
    for content in [untrusted(**changes) for changes in wrong]:
        assert code_of(partial(BuildManifest.from_bytes, content)) == "BUN-004"


def test_facts_that_are_not_true_of_the_model_are_refused(
    tmp_path: Path, publishers: tuple[Signer, ...], judge: Judge
) -> None:
    wrong: list[dict[str, Any]] = [
        {"vocabulary": 9}, {"parameters": 9}, {"tokenizer_sha256": DIGEST}, {"context_tokens": 65}
    ]  # fmt: skip
    for number, changes in enumerate(wrong):
        path = tmp_path / f"{number}.lumenbuild"
        write(path, facts(**changes), files(tmp_path / "parts"))
        for publisher in publishers:
            seal(path, publisher)
        assert judge.code(path) == "BUN-004"


def test_nothing_is_overwritten_and_nothing_half_remains(bundle: Path, tmp_path: Path) -> None:
    before = bundle.read_bytes()
    assert code_of(lambda: write(bundle, facts(), files(tmp_path / "parts"))) == "BUN-016"
    assert code_of(lambda: extract(bundle, "NOTICE", bundle)) == "BUN-016"
    assert bundle.read_bytes() == before
    target = tmp_path / "out"
    assert code_of(lambda: extract(bundle, "none", target)) == "BUN-013"
    bundle.write_bytes(before[:-1] + b"!")  # the last part's last byte
    assert code_of(lambda: extract(bundle, "NOTICE", target)) == "BUN-003"
    lost = {**files(tmp_path / "parts"), "lost.txt": tmp_path / "lost.txt"}
    assert code_of(lambda: write(target, facts(), lost)) == "BUN-015"
    assert not list(tmp_path.glob("out*"))


def test_a_file_that_grows_while_it_is_read_is_not_bundled(tmp_path: Path) -> None:
    growing = Path("/proc/self/status")  # 0 bytes long, says the system
    if not growing.is_file():
        pytest.skip("needs /proc")
    assert code_of(lambda: write(tmp_path / "out", facts(), files(tmp_path / "parts") | {"s": growing})) == "BUN-003"
    assert not list(tmp_path.glob("out*"))


def test_a_head_that_states_too_long_a_manifest_is_refused(bundle: Path, judge: Judge) -> None:
    content, at = bundle.read_bytes(), len(container.MAGIC) + 1
    bundle.write_bytes(content[:at] + b"\0\0\0\x7f" + content[at + 4 :])
    assert judge.code(bundle) == "BUN-004"
    assert code_of(lambda: open_part(bundle, "NOTICE")) == "BUN-004"
    bundle.write_bytes(content)
    assert code_of(lambda: open_part(bundle, "none")) == "BUN-013"


def test_a_file_swapped_after_it_was_verified_is_not_extracted(bundle: Path, judge: Judge, tmp_path: Path) -> None:
    verified = judge(bundle)
    bundle.unlink()
    write(bundle, facts(build=8), files(tmp_path / "parts"))
    assert code_of(lambda: extract(bundle, "NOTICE", tmp_path / "out", manifest=verified.manifest)) == "BUN-003"


def sparse(path: Path) -> int:
    """Writes a bundle of more than 2 GB that takes no room on the disk; its length."""
    shapes = tiny_model.shapes(inner=2**18)
    fields = tiny_model.fields() | {"llama.feed_forward_length": tiny_model.scalar("I", 4, 2**18)}
    blocks = 170
    fields["llama.block_count"] = tiny_model.scalar("I", 4, blocks)
    for number in range(1, blocks):
        shapes |= {
            name.replace("blk.0", f"blk.{number}"): shape for name, shape in list(shapes.items()) if "blk.0." in name
        }
    head, zeros = tiny_model.header(fields, shapes), tiny_model.weights_bytes(shapes)
    digest = hashlib.sha256(head)
    piece = bytes(1024**2)
    for _ in range(zeros // len(piece)):
        digest.update(piece)
    digest.update(bytes(zeros % len(piece)))
    model = path.with_suffix(".head")
    with model.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + zeros)
    found = gguf_check.check_file(model)
    small = files(path.parent / "parts")
    parts = tuple(
        manifest.Part(name, small[name].stat().st_size, hashlib.sha256(small[name].read_bytes()).hexdigest(), "a/b")
        for name in ("chat_template.jinja", "golden_prompts.jsonl")
    )
    whole = facts(
        parameters=found.parameters,
        parts=(*parts, manifest.Part("model.gguf", len(head) + zeros, digest.hexdigest(), "a/b")),
    ).to_bytes()
    with path.open("wb") as file:
        file.write(container._head(len(whole)).ljust(container.HEAD_BYTES, b"\0") + whole)
        for name in ("chat_template.jinja", "golden_prompts.jsonl"):
            file.write(small[name].read_bytes())
        file.write(head)
        file.truncate(file.tell() + zeros)
    return path.stat().st_size


def test_a_file_of_gigabytes_takes_few_megabytes_of_memory(
    tmp_path: Path, publishers: tuple[Signer, ...], judge: Judge
) -> None:
    path = tmp_path / "sparse.lumenbuild"
    assert sparse(path) > 2 * 1000**3
    with BuildBundle(path, writable=True) as bundle:  # as `seal` does once it has read the parts, which takes seconds
        for number, one in enumerate(publishers[:2]):
            bundle.fill_slot(number, one.public + one.sign(seals.BUILD_PURPOSE, bundle.manifest_bytes))
    tracemalloc.start()
    try:
        judge(path)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
