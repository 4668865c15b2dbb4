"""Published checkpoints are read without executing anything that somebody wrote into them."""

from __future__ import annotations

import builtins
import collections
import enum
import os
import pickle
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest
import torch

from narration.engines.neural.tensors import flatten, read_tensors, write_tensors
from narration.engines.neural.unpickle import Inert, read_checkpoint
from narration.exceptions import EngineError

FORMATS = pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])


class Colour(enum.Enum):
    RED = 1


class Settings:
    def __init__(self):
        self.size = 3


def save(path: Path, tree, is_zip: bool) -> Path:
    torch.save(tree, path, _use_new_zipfile_serialization=is_zip)
    return path


def is_same(one, other) -> bool:
    return one.dtype == other.dtype and torch.equal(one, other)


@FORMATS
def test_tensors_of_every_type_come_as_torch_reads_them(tmp_path, is_zip):
    dtypes = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64]
    dtypes += [torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]
    tree = {str(dtype): torch.arange(6).reshape(2, 3).to(dtype) for dtype in dtypes}
    read = read_checkpoint(save(tmp_path / "m.pth", tree, is_zip))
    assert read.keys() == tree.keys()
    assert all(is_same(read[name], tree[name]) for name in tree)


@FORMATS
def test_views_parameters_and_empty_tensors(tmp_path, is_zip):
    base = torch.arange(24.0).reshape(4, 6)
    tree = {
        "slice": base[1:3, 2:5],
        "turned": base.t(),
        "expanded": base[0].expand(1, -1),
        "scalar": torch.tensor(7),
        "empty": torch.empty(0, 3),
        "parameter": torch.nn.Parameter(base[:2]),
    }
    read = read_checkpoint(save(tmp_path / "m.pth", tree, is_zip))
    assert all(is_same(read[name], tree[name].detach()) for name in tree)


@FORMATS
def test_part_of_a_whole_training_state(tmp_path, is_zip):
    model = torch.nn.LSTM(3, 4)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=9)
    model(torch.zeros(2, 1, 3))[0].sum().backward()
    optimizer.step()
    tree = {
        "net": {"rnn": model.state_dict()},
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "config": Settings(),
        "colour": Colour.RED,
        # As older schedules name their method, the published ones too.
        "method": Evil(getattr, Settings, "__init__"),
        "counts": collections.defaultdict(list, a=[1]),
        "iters": 12,
    }
    path = save(tmp_path / "m.pth", tree, is_zip)
    read = read_checkpoint(path, "net")
    assert all(is_same(read["rnn"][name], t) for name, t in model.state_dict().items())
    whole = read_checkpoint(path)
    assert whole["iters"] == 12
    assert isinstance(whole["config"], Inert)
    assert isinstance(whole["colour"], Inert)
    assert isinstance(whole["method"], Inert)


def test_numbers_outside_the_part_are_not_read(tmp_path):
    tree = {"net": {"a": torch.ones(3)}, "optimizer": {"b": torch.ones(5)}}
    path = save(tmp_path / "m.pth", tree, is_zip=True)
    lean = tmp_path / "lean.pth"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(lean, "w") as target:
        for info in source.infolist():
            if not info.filename.endswith("data/1"):
                target.writestr(info, source.read(info))
    assert list(read_checkpoint(lean, "net")) == ["a"]
    with pytest.raises(EngineError, match="no checkpoint"):
        read_checkpoint(lean)


class Evil:
    """Pickles as a call of anything."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.call


def build_attacks(flag: Path) -> dict[str, object]:
    touch = f"open({str(flag)!r}, 'w')"
    shell = f"touch {flag}"
    return {
        "os.system": Evil(os.system, shell),
        "eval": Evil(builtins.eval, touch),
        "exec": Evil(builtins.exec, touch),
        "popen": Evil(subprocess.Popen, ["touch", str(flag)]),
        "getattr": Evil(getattr, Evil(__import__, "os"), "system"),
        "getattr chain": Evil(
            Evil(getattr, Evil(getattr, Evil(__import__, "os"), "system"), "__call__"), shell
        ),
        "map": Evil(list, Evil(map, os.system, [shell])),
        "torch.load": Evil(torch.load, str(flag)),
        "state": Evil(Settings, state={"size": Evil(os.system, shell)}),
        "call of inert": Evil(Evil(eval, "os.system"), shell),
        "ordered dict": collections.OrderedDict(a=Evil(os.system, shell)),
        "path": Evil(Path.touch, flag),
    }


def dump(obj) -> bytes:
    """A pickle of calls nested anywhere, written by hand."""
    if isinstance(obj, Evil):
        function, arguments, *state = obj.call
        body = dump(function) + b"(" + b"".join(map(dump, arguments)) + b"tR"
        return body + (dump(state[0]) + b"b" if state else b"")
    if isinstance(obj, dict):
        return b"(" + b"".join(dump(k) + dump(v) for k, v in obj.items()) + b"d"
    body = pickle.dumps(obj, protocol=2)
    return body[2:-1]


def write_zip(path: Path, body: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", body)


def write_legacy(path: Path, body: bytes) -> None:
    head = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    tail = pickle.dumps([], protocol=2)
    path.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in head) + body + tail)


@pytest.mark.parametrize("write", [write_zip, write_legacy])
@pytest.mark.parametrize("name", build_attacks(Path("x")))
def test_planted_calls_execute_nothing(tmp_path, name, write):
    flag = tmp_path / "executed"
    body = b"\x80\x02" + dump({"net": build_attacks(flag)[name]}) + b"."
    write(tmp_path / "m.pth", body)
    read_checkpoint(tmp_path / "m.pth")
    assert not flag.exists()


def test_the_attacks_would_work(tmp_path):
    """A guard of the test above: python's own unpickler falls for them."""
    flag = tmp_path / "executed"
    pickle.loads(b"\x80\x02" + dump(build_attacks(flag)["getattr chain"]) + b".")
    assert flag.exists()


REBUILD = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n"
INIT = b"X\x08\x00\x00\x00__init__"
HOSTILE = {
    "build changes a class": REBUILD + b"}" + INIT + b"K\x01sb.",
    "slots of a class": REBUILD + b"N}" + INIT + b"K\x01s\x86b.",
    "extension registry": b"\x80\x02\x82\x01.",
    "tensor without storage": REBUILD + b"(K\x01K\x00)))tR.",
    "half made tensor": REBUILD + b")\x81.",
    "endless": b"\x80\x02" + b"(" * 200 + b".",
    "no pickle": b"hello",
    "nothing": b"",
}


@pytest.mark.parametrize("write", [write_zip, write_legacy])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused(tmp_path, name, write):
    write(tmp_path / "m.pth", HOSTILE[name])
    with pytest.raises(EngineError) as caught:
        read_checkpoint(tmp_path / "m.pth")
    assert caught.value.code == "model_damaged"


def test_a_list_in_itself_is_read_once(tmp_path):
    write_zip(tmp_path / "m.pth", b"\x80\x02]q\x00h\x00a.")
    read = read_checkpoint(tmp_path / "m.pth")
    assert read[0] is read


@FORMATS
def test_a_cut_file_is_refused(tmp_path, is_zip):
    path = save(tmp_path / "m.pth", {"a": torch.arange(999.0)}, is_zip)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 4):
        path.write_bytes(whole[:size])
        with pytest.raises(EngineError) as caught:
            read_checkpoint(path)
        assert caught.value.code == "model_damaged"


def test_a_flipped_bit_in_the_numbers_is_seen(tmp_path):
    path = save(tmp_path / "m.pth", {"a": torch.full((64,), 3.0)}, is_zip=True)
    number = struct.pack("<f", 3.0)
    path.write_bytes(path.read_bytes().replace(number * 64, number * 63 + b"\1" + number[1:]))
    with pytest.raises(EngineError, match="CRC"):
        read_checkpoint(path)


def build_tensor_pickle(count: int, offset: int, shape: bytes, strides: bytes) -> bytes:
    storage = pickle.dumps(count, protocol=2)[2:-1]
    pid = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n("
    start = pickle.dumps(offset, protocol=2)[2:-1]
    return b"\x80\x02" + rebuild + pid + storage + b"tQ" + start + shape + strides + b"\x89NtR."


@pytest.mark.parametrize(
    ("count", "offset", "shape", "strides"),
    [
        (4, 0, b"K\x05\x85", b"K\x01\x85"),
        (4, 1, b"K\x04\x85", b"K\x01\x85"),
        (4, -1, b"K\x04\x85", b"K\x01\x85"),
        (4, 0, b"K\x02\x85", b"K\x7f\x85"),
        (4, 0, b"J\xff\xff\xff\x7f\x85", b"K\x00\x85"),
        (4, 0, b"K\x02\x85", b"K\x01K\x01\x86"),
        (9, 0, b"K\x02\x85", b"K\x01\x85"),
        (-1, 0, b"K\x02\x85", b"K\x01\x85"),
    ],
)
def test_a_tensor_beyond_its_numbers_is_refused(tmp_path, count, offset, shape, strides):
    path = tmp_path / "m.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", build_tensor_pickle(count, offset, shape, strides))
        archive.writestr("a/data/0", struct.pack("<4f", 1, 2, 3, 4))
    with pytest.raises(EngineError):
        read_checkpoint(path)


def test_the_hand_made_tensor_is_otherwise_right(tmp_path):
    path = tmp_path / "m.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", build_tensor_pickle(4, 1, b"K\x02\x85", b"K\x02\x85"))
        archive.writestr("a/data/0", struct.pack("<4f", 1, 2, 3, 4))
    assert read_checkpoint(path).tolist() == [2.0, 4.0]


def test_a_legacy_view_begins_where_it_says(tmp_path):
    """torch ≤ 0.3 wrote a storage's views into its identity."""
    pid = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    view = b"K\x04(X\x01\x00\x00\x00vK\x01K\x03ttQ"
    tensor = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor\n(" + pid + view + b"K\x01K\x02\x85K\x01\x85tR."
    )
    head = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
    numbers = pickle.dumps(["0"], protocol=2) + struct.pack("<q4f", 4, 1, 2, 3, 4)
    start = b"".join(pickle.dumps(part, protocol=2) for part in head)
    (tmp_path / "m.t7").write_bytes(start + tensor + numbers)
    assert read_checkpoint(tmp_path / "m.t7").tolist() == [3.0, 4.0]
    torch_reads = torch.load(tmp_path / "m.t7", weights_only=False)
    assert torch_reads.tolist() == [3.0, 4.0]


def test_a_missing_part_is_named(tmp_path):
    path = save(tmp_path / "m.pth", {"model": {}}, is_zip=True)
    with pytest.raises(EngineError, match="'net'"):
        read_checkpoint(path, "net")


@FORMATS
def test_to_safetensors_and_back(tmp_path, is_zip):
    shared = torch.arange(12.0)
    tree = {"a": {"w": shared[:6].reshape(2, 3), "b": shared}, "list": [torch.ones(2)], "n": 3}
    source = save(tmp_path / "m.pth", {"net": tree}, is_zip)
    first, again = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    write_tensors(first, read_checkpoint(source, "net"))
    write_tensors(again, read_checkpoint(source, "net"))
    assert first.read_bytes() == again.read_bytes()
    read = read_tensors(first, {"a.w": (2, 3), "a.b": (12,), "list.0": (2,)})
    assert all(is_same(read[name], tensor) for name, tensor in flatten(tree).items())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "m.pth",
        "one.safetensors",
        "two.safetensors",
    ]


def test_other_shapes_are_refused_by_name(tmp_path):
    path = tmp_path / "m.safetensors"
    write_tensors(path, {"a": torch.ones(2), "b": torch.ones(3)})
    with pytest.raises(EngineError, match=r"c is missing; a is unknown; b is \[3\], not \[4\]"):
        read_tensors(path, {"b": (4,), "c": (1,)})
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(EngineError) as caught:
        read_tensors(path)
    assert caught.value.code == "model_damaged"
    with pytest.raises(EngineError) as caught:
        read_tensors(tmp_path / "none.safetensors")
    assert caught.value.code == "model_missing"


def test_two_tensors_of_one_name_are_refused():
    with pytest.raises(EngineError, match=r"a\.b"):
        flatten({"a.b": torch.ones(1), "a": {"b": torch.ones(1)}})
