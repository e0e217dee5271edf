"""Weights that torch saved are read without being run; anything but tensors is refused."""

import collections
import os
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from lumen_desktop.errors import InputError
from trainer.base import weights
from trainer.base.torch_file import TorchFile
from trainer.tensors import TYPES, Form, write


def saved(path: Path, value: Any) -> Path:
    """As torch writes it."""
    torch.save(value, path)
    return path


def state() -> dict[str, torch.Tensor]:
    """Tensors of several types, two of which share numbers and one of which lies across them."""
    numbers = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    return {
        "whole": numbers,
        "part": numbers[1:3, 2:5],
        "across": numbers.t(),
        "half": torch.randn(5, 3).half(),
        "brain": torch.randn(7).bfloat16(),
        "count": torch.tensor(3),
        "none": torch.zeros(0, 4),
        "learnt": torch.nn.Parameter(torch.randn(2, 2)),
    }


def repacked(
    path: Path, target: Path, *, compression: int = zipfile.ZIP_STORED, replaced: Mapping[str, bytes] | None = None
) -> Path:
    """The same zip with other contents or compressed."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", compression) as new:
        for info in old.infolist():
            new.writestr(
                info.filename, (replaced or {}).get(info.filename.rsplit("/", 1)[-1].split(".")[0], old.read(info))
            )
    return target


def refused(path: Path) -> str:
    """The sentence of the refusal."""
    with pytest.raises(InputError) as error:
        TorchFile(path)
    assert error.value.code == "TRN-064"
    return error.value.message


def test_every_tensor_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    wanted = state()
    file = TorchFile(saved(tmp_path / "m.bin", wanted))
    assert list(file.tensors) == list(wanted)
    for name, tensor in wanted.items():
        read = file.read(name)
        assert read.dtype == tensor.dtype
        assert read.is_contiguous()
        assert torch.equal(read, tensor.detach()), name


def test_a_module_saves_an_ordered_mapping_with_notes_and_it_is_read(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.LayerNorm(3))
    file = TorchFile(saved(tmp_path / "m.bin", module.state_dict()))
    assert all(torch.equal(file.read(name), tensor) for name, tensor in module.state_dict().items())


class Malicious:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def test_a_pickle_that_runs_a_command_is_refused_and_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    words = refused(saved(tmp_path / "m.bin", {"w": torch.zeros(2), "x": Malicious(mark)}))
    assert "it wants to run" in words
    assert "system" in words
    assert not mark.exists()


@pytest.mark.parametrize(
    "value",
    [
        {"w": [1, 2]}, {"w": 3}, {"w": "text"}, {3: torch.zeros(2)}, [torch.zeros(2)], torch.zeros(2), {},
        {"inner": {"w": torch.zeros(2)}}, {"w": torch.zeros(2).to_sparse()}, {"w": {1, 2}}, {"w": 1.5},
        {"w": collections.Counter("ab")}, {"w": torch.nn.Linear(2, 2)},
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_anything_but_tensors_by_name_is_refused(tmp_path: Path, value: Any) -> None:
    refused(saved(tmp_path / "m.bin", value))


def test_a_cut_file_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    whole = saved(tmp_path / "m.bin", state()).read_bytes()
    for cut in range(0, len(whole), 97):
        (tmp_path / "cut.bin").write_bytes(whole[:cut])
        refused(tmp_path / "cut.bin")


def test_a_flipped_byte_is_refused_or_changes_nothing(tmp_path: Path) -> None:
    wanted, path = state(), saved(tmp_path / "m.bin", state())
    whole = bytearray(path.read_bytes())
    before = {name: TorchFile(path).read(name) for name in wanted}
    for at in range(0, len(whole), 61):
        changed = whole.copy()
        changed[at] ^= 0x10
        (tmp_path / "flipped.bin").write_bytes(changed)
        try:
            file = TorchFile(tmp_path / "flipped.bin")
        except InputError:
            continue
        assert all(torch.equal(file.read(name), tensor) for name, tensor in before.items()), at


def test_other_forms_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.bin", state())
    assert "compressed" in refused(repacked(path, tmp_path / "z.bin", compression=zipfile.ZIP_DEFLATED))
    assert "byte order" in refused(repacked(path, tmp_path / "b.bin", replaced={"byteorder": b"big"}))
    torch.save(state(), tmp_path / "old.bin", _use_new_zipfile_serialization=False)
    assert "zip form" in refused(tmp_path / "old.bin")
    (tmp_path / "plain.bin").write_bytes(pickle.dumps({"w": 1}))
    assert "zip form" in refused(tmp_path / "plain.bin")
    with zipfile.ZipFile(tmp_path / "none.bin", "w") as archive:
        archive.writestr("archive/version", "3")
    assert "zip form" in refused(tmp_path / "none.bin")


def test_a_tensor_that_reaches_beyond_its_numbers_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.bin", {"w": torch.arange(8.0)})
    short = repacked(path, tmp_path / "short.bin", replaced={"0": b"\0" * 16})
    assert "missing or cut short" in refused(short)
    with zipfile.ZipFile(path) as archive:
        program = next(archive.read(one) for one in archive.infolist() if one.filename.endswith("data.pkl"))
    # its 8 numbers, BININT1, stand for the storage's count, then for the tensor's length
    at = program.rindex(b"K\x08")
    longer = repacked(path, tmp_path / "longer.bin", replaced={"data": program[:at] + b"K\x09" + program[at + 2 :]})
    assert "reaches beyond" in refused(longer)


def test_a_program_of_any_bytes_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.bin", state())
    for program in (b"", b".", b"\x80\x02.", b"\x80\x02}q\x00.", b"(" * 100, b"\x80\x02tR.", b"\x80\x02(Q.", b"\xff"):
        refused(repacked(path, tmp_path / "p.bin", replaced={"data": program}))


def test_a_folder_of_torch_files_becomes_safetensors(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    weighing = {name: one for name, one in state().items() if one.dtype in TYPES.values()}
    wanted = {**weighing, "layers.0.rotary_emb.inv_freq": torch.zeros(4)}
    names = list(wanted)
    places = {name: f"pytorch_model-0000{1 + n % 2}-of-00002.bin" for n, name in enumerate(names)}
    for file in set(places.values()):
        saved(source / file, {name: wanted[name] for name in names if places[name] == file})
    (source / weights.TORCH_INDEX).write_text(f'{{"weight_map": {str(places).replace(chr(39), chr(34))}}}')
    weights.bring(source, target, told=lambda *_: None)
    from safetensors.torch import load_file  # noqa: PLC0415

    read = load_file(target / weights.SINGLE)
    assert set(read) == set(names) - {"layers.0.rotary_emb.inv_freq"}
    assert all(torch.equal(tensor, wanted[name].detach()) for name, tensor in read.items())


@pytest.mark.parametrize("form", ["torch", "safetensors"])
def test_weights_that_are_whole_numbers_are_refused_before_anything_is_trained(tmp_path: Path, form: str) -> None:
    from safetensors.torch import save_file  # noqa: PLC0415

    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    packed = {"w": torch.ones(2), "layers.0.qweight": torch.ones(2, dtype=torch.int32)}
    if form == "torch":
        saved(source / weights.TORCH, packed)
    else:
        save_file(packed, source / weights.SINGLE)
    with pytest.raises(InputError, match=r"layers\.0\.qweight is of (int32|I32)") as refusal:
        weights.bring(source, target, told=lambda *_: None)
    assert refusal.value.code == "TRN-064"


def test_files_fill_up_and_are_listed(tmp_path: Path) -> None:
    wanted = {f"w{n}": torch.randn(100, 10) for n in range(5)}
    forms = {name: Form("F32", tuple(tensor.shape)) for name, tensor in wanted.items()}
    told: list[tuple[int, int]] = []
    write(tmp_path, forms, wanted.__getitem__, shard_bytes=9_000, heard=lambda *now: told.append(now))
    files = sorted(tmp_path.glob("*.safetensors"))
    assert [file.name for file in files] == [f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3)]
    assert told[-1] == (5, 5)
    assert set(weights.shapes(tmp_path)) == set(wanted)
    files[1].unlink()
    with pytest.raises(InputError, match="lack w"):
        weights.shapes(tmp_path)
