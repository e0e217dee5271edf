"""Whose word counts: seals, thresholds, root files, and what a kill in the middle leaves."""

import datetime as dt
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lumen_desktop.bundle import (
    Root,
    Signer,
    TrustedKey,
    container,
    is_signed,
    read_root,
    read_unchecked_root,
    roots,
    seal,
    seals_of,
    write,
)
from lumen_desktop.bundle.container import BuildBundle
from lumen_desktop.errors import BundleError
from tests.bundle.conftest import Judge, code_of, facts, files, made_root
from tests.conftest import ROOT

Publishers = tuple[Signer, ...]


@pytest.fixture
def unsealed(tmp_path: Path) -> Path:
    path = tmp_path / "unsealed.lumenbuild"
    write(path, facts(), files(tmp_path / "parts"))
    return path


def test_fewer_seals_than_the_threshold_are_refused(unsealed: Path, publishers: Publishers, judge: Judge) -> None:
    assert judge.code(unsealed) == "BUN-005"
    seal(unsealed, publishers[2])
    assert judge.code(unsealed) == "BUN-005"
    seal(unsealed, publishers[0])
    assert judge(unsealed).sealed_by == ("release", "trainer")


def test_a_key_seals_once_and_slots_end(unsealed: Path) -> None:
    signers = [Signer.new(f"k{number}") for number in range(container.SLOTS + 1)]
    seal(unsealed, signers[0])
    assert code_of(lambda: seal(unsealed, signers[0])) == "BUN-018"
    for signer in signers[1:-1]:
        seal(unsealed, signer)
    assert code_of(lambda: seal(unsealed, signers[-1])) == "BUN-018"


def test_a_strangers_seal_does_not_count(unsealed: Path, publishers: Publishers, judge: Judge) -> None:
    stranger = Signer.new("stranger")
    seal(unsealed, stranger)
    seal(unsealed, publishers[0])
    assert judge.code(unsealed) == "BUN-006"
    seal(unsealed, publishers[1])
    found = judge(unsealed)
    assert (found.sealed_by, found.others) == (("trainer", "quality"), (stranger.public.hex(),))


def test_the_seal_of_another_bundle_is_refused(bundle: Path, tmp_path: Path, judge: Judge) -> None:
    other = tmp_path / "other.lumenbuild"
    write(other, facts(build=8), files(tmp_path / "parts"))
    content = bytearray(other.read_bytes())
    content[container.SECTOR_BYTES : container.HEAD_BYTES] = bundle.read_bytes()[
        container.SECTOR_BYTES : container.HEAD_BYTES
    ]
    other.write_bytes(content)
    assert judge.code(other) == "BUN-003"


def test_a_seal_for_another_purpose_is_none(unsealed: Path, publishers: Publishers, judge: Judge) -> None:
    with BuildBundle(unsealed, writable=True) as bundle:
        for number, one in enumerate(publishers[:2]):
            bundle.fill_slot(number, one.public + one.sign("LUMEN-WAIVER-v1", bundle.manifest_bytes))
    assert judge.code(unsealed) == "BUN-003"
    one = publishers[0]
    signature = one.sign("LUMEN-WAIVER-v1", b"x")
    assert is_signed(one.public, signature, purpose="LUMEN-WAIVER-v1", content=b"x")
    assert not is_signed(one.public, signature, purpose="LUMEN-WAIVER-v1", content=b"y")
    assert not is_signed(one.public, signature, purpose="LUMEN-REVIEW-v1", content=b"x")
    assert not is_signed(b"short", signature, purpose="LUMEN-WAIVER-v1", content=b"x")
    with pytest.raises(ValueError, match="waiver"):
        one.sign("waiver", b"x")


def test_a_gap_or_a_double_among_the_seals_is_refused(bundle: Path, judge: Judge) -> None:
    content, sector = bundle.read_bytes(), container.SECTOR_BYTES
    slots = [content[sector * number : sector * (number + 1)] for number in range(1, 8)]
    for order in ([0, 3, 1], [0, 0, 1], [3, 0, 1]):
        changed = b"".join(slots[number] for number in order).ljust(7 * sector, b"\0")
        bundle.write_bytes(content[:sector] + changed + content[8 * sector :])
        assert judge.code(bundle) == "BUN-003"


def test_nobody_seals_what_is_not_whole(unsealed: Path, publishers: Publishers) -> None:
    content = unsealed.read_bytes()
    unsealed.write_bytes(content[:-1] + b"!")
    assert code_of(lambda: seal(unsealed, publishers[0])) == "BUN-003"
    assert unsealed.read_bytes() == content[:-1] + b"!"


def test_a_sector_half_written_is_refused_and_not_guessed_at(
    unsealed: Path, publishers: Publishers, judge: Judge
) -> None:
    seal(unsealed, publishers[0])
    with unsealed.open("r+b") as file:
        file.seek(2 * container.SECTOR_BYTES)
        file.write(publishers[1].public + b"\1" * 10)
    assert judge.code(unsealed) == "BUN-003"
    assert code_of(lambda: seal(unsealed, publishers[1])) == "BUN-003"


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from lumen_desktop.bundle import Signer, container, seal, seals, write
    from tests.bundle.conftest import facts, files

    job, place, number, private = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), bytes.fromhex(sys.argv[4])
    manifest = facts()
    parts = files(place.parent / "parts")
    ours = {container.__file__, seals.__file__}
    steps = 0

    def step(frame, event, value):
        global steps
        if event == "line" and frame.f_code.co_filename in ours:
            if steps == number:
                os.kill(os.getpid(), signal.SIGKILL)
            steps += 1
        return step

    sys.settrace(step)
    if job == "seal":
        seal(place, Signer("second", private))
    else:
        write(place, manifest, parts)
    sys.settrace(None)
    print(steps)
    """
)


def killed(job: str, place: Path, number: int, key: Signer) -> str:
    """Runs a job in a process that kills itself before its line of that number; what it printed, if it came so far."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, job, str(place), str(number), key.private.hex()],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.stdout.strip()


def points(steps: int, how_many: int = 20) -> list[int]:
    """Places spread over a job, the last lines all of them: there it writes."""
    last = list(range(max(0, steps - how_many // 2), steps))
    first = [steps * number // how_many for number in range(how_many - len(last))]
    return sorted({*first, *last})


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill")
def test_killed_while_sealing_the_old_or_the_new_file_is_valid(
    unsealed: Path, publishers: Publishers, judge: Judge, unmeasured_children: None
) -> None:
    seal(unsealed, publishers[0])
    seal(unsealed, publishers[1])
    start = unsealed.read_bytes()
    steps = int(killed("seal", unsealed, -1, publishers[2]))
    ended = unsealed.read_bytes()
    assert len(judge(unsealed).sealed_by) == 3
    seen = set()
    for number in points(steps):
        unsealed.write_bytes(start)
        assert killed("seal", unsealed, number, publishers[2]) == ""
        assert unsealed.read_bytes() in {start, ended}
        seen.add(len(judge(unsealed).sealed_by))
    assert seen == {2, 3}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill")
def test_killed_while_writing_there_is_a_whole_file_or_none(
    tmp_path: Path, publishers: Publishers, judge: Judge, unmeasured_children: None
) -> None:
    whole = tmp_path / "whole.lumenbuild"
    steps = int(killed("write", whole, -1, publishers[0]))
    made = set()
    for number in points(steps, 12):
        path = tmp_path / "killed.lumenbuild"
        assert killed("write", path, number, publishers[0]) == ""
        made.add(path.exists())
        assert not path.exists() or path.read_bytes() == whole.read_bytes()
        path.unlink(missing_ok=True)
    assert made == {False, True}
    write(path, facts(), files(tmp_path / "parts"))  # what a killed one left is no obstacle
    assert path.read_bytes() == whole.read_bytes()


def test_seals_by_two_who_knew_nothing_of_each_other(unsealed: Path, publishers: Publishers) -> None:
    """Each of two copies has one seal; a file has both only when one copy goes from hand to hand."""
    copy = Path(shutil.copy(unsealed, unsealed.with_suffix(".copy")))
    seal(unsealed, publishers[0])
    seal(copy, publishers[1])
    for path, holder in ((unsealed, publishers[0]), (copy, publishers[1])):
        with BuildBundle(path) as bundle:
            assert [one.key for one in seals_of(bundle)] == [holder.public]


def test_a_root_file_is_read_back(tmp_path: Path, root: Root) -> None:
    path = tmp_path / "root.json"
    path.write_bytes(root.to_bytes())
    assert read_root(path) == root


def test_one_flipped_byte_of_a_root_file_is_refused(tmp_path: Path, root: Root) -> None:
    path, draw = tmp_path / "root.json", random.Random(3)
    content = root.to_bytes()
    for place, byte in enumerate(content):
        path.write_bytes(content[:place] + bytes([byte ^ draw.randrange(1, 256)]) + content[place + 1 :])
        assert code_of(lambda: read_root(path)) == "BUN-010", place


def test_a_root_file_that_too_few_of_its_keys_sealed_is_refused(tmp_path: Path, publishers: Publishers) -> None:
    path = tmp_path / "root.json"
    keys = tuple(TrustedKey(one.name, one.public) for one in publishers)
    root = Root(1, keys, 2, dt.date(2027, 1, 1)).sealed_by(publishers[0]).sealed_by(publishers[0])
    path.write_bytes(root.to_bytes())
    assert code_of(lambda: read_root(path)) == "BUN-010"
    assert read_unchecked_root(path).seals == root.seals
    path.write_bytes(root.sealed_by(Signer.new("stranger")).to_bytes())
    assert code_of(lambda: read_root(path)) == "BUN-010"
    path.write_bytes(root.sealed_by(publishers[1]).to_bytes())
    assert read_root(path).threshold == 2


def test_a_root_file_that_is_none_is_refused(tmp_path: Path, root: Root) -> None:
    path = tmp_path / "root.json"
    good = json.loads(root.to_bytes())
    inner = json.loads(good["root"])
    for content in (
        b"", b"{}", b"[]", b"x" * (roots.LARGEST_BYTES + 1), json.dumps(good, indent=1).encode(),
        json.dumps({**good, "more": 1}, sort_keys=True, separators=(",", ":")).encode(),
        json.dumps({**good, "root": json.dumps({**inner, "threshold": 0})}, separators=(",", ":")).encode(),
        json.dumps({**good, "root": 1}, separators=(",", ":")).encode(),
    ):  # fmt: skip
        path.write_bytes(content)
        assert code_of(lambda: read_root(path)) == "BUN-010"
    assert code_of(lambda: read_root(tmp_path / "none")) == "BUN-015"


def test_the_numbers_and_names_of_a_root_file_fit_together(publishers: Publishers) -> None:
    keys = tuple(TrustedKey(one.name, one.public) for one in publishers)
    day = dt.date(2027, 1, 1)
    for made in (
        lambda: Root(1, keys, 4, day),
        lambda: Root(1, keys, 0, day),
        lambda: Root(0, keys, 2, day),
        lambda: Root(1, (), 1, day),
        lambda: Root(1, (keys[0], keys[0]), 1, day),
        lambda: Root(1, (keys[0], TrustedKey("Trainer", keys[1].key)), 1, day),
        lambda: TrustedKey("", keys[0].key),
        lambda: TrustedKey("a\nb", keys[0].key),
        lambda: TrustedKey("a", b"short"),
    ):
        assert code_of(made) == "BUN-010"


def test_a_new_root_needs_the_old_ones_and_its_own_keys(publishers: Publishers) -> None:
    old, fresh = made_root(*publishers), [Signer.new("new-1"), Signer.new("new-2")]
    new = made_root(publishers[0], *fresh, version=2)
    assert code_of(lambda: new.follows(old)) == "BUN-012"  # one of the old only
    both = new.sealed_by(publishers[1])
    both.follows(old)
    assert code_of(lambda: both.follows(both)) == "BUN-012"
    skipped = made_root(*publishers, version=3)
    assert code_of(lambda: skipped.follows(old)) == "BUN-012"
    assert code_of(lambda: old.follows(skipped)) == "BUN-012"  # rolled back
    thieves = made_root(*fresh, threshold=1, version=2)
    assert code_of(lambda: thieves.follows(old)) == "BUN-012"


def test_a_root_with_other_keys_does_not_take_the_bundle(bundle: Path, judge: Judge) -> None:
    others = made_root(Signer.new("a"), Signer.new("b"), threshold=1)
    assert judge.code(bundle, root=others) == "BUN-006"
    unchecked = Root(1, others.keys, 1, dt.date(2027, 1, 1))
    assert judge.code(bundle, root=unchecked) == "BUN-010"


def test_a_private_key_is_never_shown(publishers: Publishers) -> None:
    assert publishers[0].private.hex() not in repr(publishers[0])
    assert repr(publishers[0].private) not in repr(publishers[0])


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        free = 10

    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Full)
    with pytest.raises(BundleError, match="GB are needed") as caught:
        write(tmp_path / "out", facts(), files(tmp_path / "parts"))
    assert caught.value.code == "BUN-015"
