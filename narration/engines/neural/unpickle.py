"""Reading published torch checkpoints, which are pickles, without executing anything in them.

A pickle names functions and calls them. Here every name stands for an inert object that can be
called, filled and indexed without effect, save for what describes a tensor: those become recipes,
and tensors are made of them afterwards from the raw numbers beside the pickle. Both formats are
read: the zip archive (torch ≥ 1.6) and the legacy file of several pickles.
"""

from __future__ import annotations

import collections
import math
import pickle
import struct
import zipfile
from pathlib import Path
from typing import IO, Any, Final

from narration.exceptions import EngineError

#: Storage classes by name, and the torch dtype of their numbers.
STORAGES: Final = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
SIZES: Final = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2,
    "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1, "bool": 1,
}  # fmt: skip

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001


class Inert:
    """Stands for anything a pickle names: whatever is done to it does nothing.

    ``origin`` is the name, for people. Calling it gives another inert object.
    """

    __slots__ = ("origin",)

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Inert:
        """NEWOBJ, with any arguments."""
        return super().__new__(cls)

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        """Takes anything and keeps nothing."""

    def __call__(self, *_args: Any, **_kwargs: Any) -> Inert:
        """REDUCE of what a call gave."""
        return Inert()

    def __setstate__(self, state: Any) -> None:
        """BUILD; that of a class fails here for want of an instance, and so changes no class."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """SETITEM and SETITEMS."""

    def append(self, value: Any) -> None:
        """APPEND."""

    def extend(self, values: Any) -> None:
        """APPENDS."""

    def add(self, value: Any) -> None:
        """ADDITEMS."""


class StorageKind(Inert):
    """A storage class; its subclasses carry the ``dtype``."""

    __slots__ = ()
    dtype = ""


class Storage(Inert):
    """Raw numbers beside the pickle: ``count`` of ``dtype``, the view beginning at ``offset``."""

    __slots__ = ("count", "dtype", "key", "offset")

    def __init__(self, key: str, dtype: str, count: int, offset: int = 0):
        self.key = key
        self.dtype = dtype
        self.count = count
        self.offset = offset


class Recipe(Inert):
    """A tensor to be: a storage, and what of it (``_rebuild_tensor_v2``'s arguments)."""

    __slots__ = ("offset", "shape", "storage", "strides")

    def __init__(self, storage: Any, offset: Any, shape: Any, strides: Any, *_more: Any):
        numbers = (offset, *shape, *strides)
        if not isinstance(storage, Storage) or len(shape) != len(strides):
            raise pickle.UnpicklingError("a tensor without numbers")
        if not all(isinstance(n, int) and 0 <= n < 2**48 for n in numbers):
            raise pickle.UnpicklingError("a tensor of impossible shape")
        self.storage = storage
        self.offset = offset + storage.offset
        self.shape = tuple(shape)
        self.strides = tuple(strides)


class Parameter(Inert):
    """``_rebuild_parameter(tensor, requires_grad, hooks)``: the tensor."""

    __slots__ = ()

    def __new__(cls, tensor: Any = None, *_args: Any, **_kwargs: Any) -> Any:
        """The tensor itself, were there one."""
        return tensor if isinstance(tensor, Recipe) else super().__new__(cls)


KINDS: Final = {
    name: type(name, (StorageKind,), {"__slots__": (), "dtype": dtype})
    for name, dtype in STORAGES.items()
}
ALLOWED: Final[dict[tuple[str, str], type]] = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch", "Size"): tuple,
    ("torch._utils", "_rebuild_tensor"): Recipe,
    ("torch._utils", "_rebuild_tensor_v2"): Recipe,
    ("torch._utils", "_rebuild_parameter"): Parameter,
    **{("torch", name): kind for name, kind in KINDS.items()},
    **{("torch.storage", name): kind for name, kind in KINDS.items()},
}


class InertUnpickler(pickle.Unpickler):
    """Resolves no name to anything that could do harm."""

    def __init__(self, file: IO[bytes]):
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> type:
        """The stand-in of a name: from the allow-list, else an inert class of its own."""
        return ALLOWED.get((module, name)) or type(
            "Inert", (Inert,), {"__slots__": (), "origin": f"{module}.{name}"}
        )

    def persistent_load(self, pid: Any) -> Storage:
        """``("storage", kind, key, location, count[, view])`` as torch writes it."""
        match pid:
            case ("storage", kind, str() as key, str(), int() as count, *view) if (
                isinstance(kind, type) and issubclass(kind, StorageKind) and kind.dtype
            ):
                whole = self.storages.setdefault(key, Storage(key, kind.dtype, count))
                if whole.dtype != kind.dtype:
                    raise pickle.UnpicklingError("one storage of two types")
                if not view or view[0] is None:
                    return whole
                _, offset, size = view[0]
                return Storage(key, kind.dtype, size, offset)
        raise pickle.UnpicklingError("an object that is no storage")


class RawNumbers:
    """The storages of one checkpoint as flat tensors, read when first asked for."""

    def __init__(self, storages: dict[str, Storage]):
        self._storages = storages
        self._tensors: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """The whole storage as a 1-d tensor."""
        import torch

        if key not in self._tensors:
            storage = self._storages[key]
            data = self.read(storage, storage.count * SIZES[storage.dtype])
            dtype = getattr(torch, storage.dtype)
            # frombuffer takes no empty buffer.
            self._tensors[key] = (
                torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
            )
        return self._tensors[key]

    def read(self, storage: Storage, size: int) -> bytearray:
        """``size`` bytes of a storage; ``EngineError`` when there are fewer or more."""
        raise NotImplementedError


class ZipNumbers(RawNumbers):
    """Storages that are members ``<root>/data/<key>`` of a zip archive."""

    def __init__(self, storages: dict[str, Storage], archive: zipfile.ZipFile, root: str):
        super().__init__(storages)
        self._archive = archive
        self._root = root

    def read(self, storage: Storage, size: int) -> bytearray:
        """A member, which torch never compresses."""
        info = self._archive.getinfo(f"{self._root}data/{storage.key}")
        if info.file_size != size or info.compress_type != zipfile.ZIP_STORED:
            raise _damaged(f"storage {storage.key} has {info.file_size} bytes, not {size}")
        return bytearray(self._archive.read(info))


class LegacyNumbers(RawNumbers):
    """Storages one after the other at the end of a legacy file: a count, then the numbers."""

    def __init__(self, storages: dict[str, Storage], file: IO[bytes], keys: Any):
        super().__init__(storages)
        self._file = file
        self._places: dict[str, int] = {}
        for key in keys:
            storage = storages.get(key)
            if storage is None:
                raise _damaged("numbers of no known storage")
            (count,) = struct.unpack("<q", _read_exactly(file, 8))
            if count != storage.count:
                raise _damaged(f"storage {key} has {count} numbers, not {storage.count}")
            self._places[key] = file.tell()
            file.seek(count * SIZES[storage.dtype], 1)

    def read(self, storage: Storage, size: int) -> bytearray:
        """The numbers behind the count."""
        self._file.seek(self._places[storage.key])
        return bytearray(_read_exactly(self._file, size))


def read_checkpoint(path: Path, *keys: str) -> Any:
    """A published checkpoint, or its part under ``keys``, as plain containers with CPU tensors.

    ``read_checkpoint(path, "net")`` is ``torch.load(path)["net"]`` for files one need not trust.
    Nothing in the file is executed; what is neither container, number, text nor tensor comes as
    an ``Inert``. Numbers outside the part are not read. ``EngineError`` (``model_damaged``) for
    what is no checkpoint.
    """
    try:
        with path.open("rb") as file:
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    return _read_zip(archive, keys)
            file.seek(0)
            return _read_legacy(file, keys)
    except EngineError as error:
        raise EngineError(f"{path.name}: {error.message}", code=error.code) from error
    except FileNotFoundError:
        raise
    except Exception as error:
        # A hostile or a cut file may raise nearly anything in the unpickler.
        text = f"{path.name} is no checkpoint: {type(error).__name__}: {error}"
        raise EngineError(text, code="model_damaged") from error


def _read_zip(archive: zipfile.ZipFile, keys: tuple[str, ...]) -> Any:
    names = [name for name in archive.namelist() if name.endswith("data.pkl")]
    if len(names) != 1:
        raise _damaged("no data.pkl in the archive")
    root = names[0].removesuffix("data.pkl")
    if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
        raise _damaged("big-endian numbers")
    with archive.open(names[0]) as member:
        unpickler = InertUnpickler(member)
        tree = unpickler.load()
    return _cook(_pick(tree, keys), ZipNumbers(unpickler.storages, archive, root))


def _read_legacy(file: IO[bytes], keys: tuple[str, ...]) -> Any:
    header = [InertUnpickler(file).load() for _ in range(3)]
    if header[:2] != [LEGACY_MAGIC, LEGACY_PROTOCOL]:
        raise _damaged("it is of an unknown format")
    if not (isinstance(header[2], dict) and header[2].get("little_endian") is True):
        raise _damaged("big-endian numbers")
    unpickler = InertUnpickler(file)
    tree = unpickler.load()
    numbers = LegacyNumbers(unpickler.storages, file, InertUnpickler(file).load())
    return _cook(_pick(tree, keys), numbers)


def _pick(tree: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if not isinstance(tree, dict) or key not in tree:
            raise _damaged(f"there is no '{key}' in it")
        tree = tree[key]
    return tree


def _cook(tree: Any, numbers: RawNumbers) -> Any:
    """Tensors for recipes, in new containers; one object met twice is one object again."""
    cooked: dict[int, Any] = {}

    def cook(node: Any) -> Any:
        if id(node) in cooked:
            return cooked[id(node)]
        match node:
            case Recipe():
                result: Any = _build_tensor(node, numbers)
            case dict():
                result = cooked[id(node)] = {}
                result.update((key, cook(value)) for key, value in node.items())
            case list():
                result = cooked[id(node)] = []
                result.extend(cook(value) for value in node)
            case tuple():
                result = tuple(cook(value) for value in node)
            case _:
                return node
        cooked[id(node)] = result
        return result

    return cook(tree)


def _build_tensor(recipe: Recipe, numbers: RawNumbers) -> Any:
    flat = numbers.get(recipe.storage.key)
    reach = sum((n - 1) * step for n, step in zip(recipe.shape, recipe.strides, strict=True))
    is_empty = 0 in recipe.shape
    if not is_empty and max(recipe.offset + reach + 1, math.prod(recipe.shape)) > len(flat):
        raise _damaged("a tensor reaches beyond its numbers")
    return flat.as_strided(recipe.shape, recipe.strides, recipe.offset)


def _read_exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise _damaged("it is cut short")
    return data


def _damaged(reason: str) -> EngineError:
    return EngineError(reason, code="model_damaged")
