"""Reading the header of a GGUF file, from bytes that may come from anywhere and may be hostile.

Every count, length, type, product and offset is checked against a limit and against the length of the file before it is
used, so that a damaged or malicious file costs an error, not memory. The engine itself trusts what the header says;
nothing that fails here is ever handed to one.

Layout: ``GGUF`` | u32 version | u64 tensors | u64 pairs | pairs | tensor infos | padding | tensor data, little-endian
(https://github.com/ggml-org/ggml/blob/master/docs/gguf.md)."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from aimindserve.domain.gguf_types import TENSOR_TYPES, TensorType
from aimindserve.domain.units import KIB, MIB

Read = Callable[[int, int], bytes]
Scalar = int | float | bool | str

MAX_TENSORS = 65_536
MAX_PAIRS = 65_536
MAX_KEY = 1 * KIB
MAX_TENSOR_NAME = 64
MAX_STRING = 1 * MIB
MAX_TEMPLATE = 4 * MIB
MAX_ARRAY = 2 * 1024 * 1024
MAX_DIMENSIONS = 4
MAX_ELEMENTS = 1 << 53
MAX_ALIGNMENT = 1 * MIB
MAX_HEADER = 64 * MIB

# Longer strings and arrays (vocabularies) are checked but not kept.
_KEPT_STRING = 4 * KIB
_KEPT_ARRAY = 1024
_WINDOW = 1 * MIB
_SMALLEST_PAIR = 8 + 4 + 1
_SMALLEST_TENSOR = 8 + 4 + 8 + 4 + 8

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<B", 10: "<Q", 11: "<q", 12: "<d"}
_LENGTH = struct.Struct("<Q")
_BOOL, _STRING, _ARRAY, _U32 = 7, 8, 9, 4


class GgufProblem(StrEnum):
    """What is wrong with a file."""

    MAGIC = "magic"
    VERSION = "version"
    BIG_ENDIAN = "big_endian"
    TRUNCATED = "truncated"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    VALUE_TYPE = "value_type"
    VALUE = "value"
    NESTED_ARRAY = "nested_array"
    NAME = "name"
    DUPLICATE = "duplicate"
    DIMENSIONS = "dimensions"
    TENSOR_TYPE = "tensor_type"
    ALIGNMENT = "alignment"
    OVERLAP = "overlap"
    OUTSIDE_FILE = "outside_file"


class GgufError(Exception):
    """The file is not a usable GGUF file: ``problem`` says why, the message where."""

    def __init__(self, problem: GgufProblem, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem
        self.detail = detail


@dataclass(frozen=True, slots=True)
class GgufArray:
    """An array value: its element type (GGUF's number) and ``count``; ``values`` only when short and not strings."""

    element_type: int
    count: int
    values: tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor: ``shape`` with the fastest dimension first, ``offset`` into the data section, ``bytes`` long."""

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int
    bytes: int

    @property
    def elements(self) -> int:
        """Number of weights."""
        product = 1
        for size in self.shape:
            product *= size
        return product


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """All that a header says. ``data_offset``: where tensor data starts. Strings above 4 KiB are cut there."""

    version: int
    metadata: dict[str, Scalar | GgufArray]
    tensors: tuple[GgufTensor, ...]
    data_offset: int
    file_size: int


def read_header(source: bytes | Read, file_size: int | None = None) -> GgufHeader:
    """The checked header of a GGUF file.

    ``source`` is the file's bytes, or a function ``(offset, count) -> bytes`` that may return fewer bytes only at the
    end of the file; ``file_size`` in bytes (required with a function). Reads at most 64 MiB, in windows of 1 MiB.
    Raises GgufError, and what ``source`` raises.
    """
    if isinstance(source, bytes):
        file_size = len(source) if file_size is None else file_size
    if file_size is None:
        raise ValueError("file_size is needed with a reading function")
    cursor = _Cursor(_reader(source) if isinstance(source, bytes) else source, file_size)
    version, tensor_count, pair_count = _read_preamble(cursor)
    metadata = _read_pairs(cursor, pair_count)
    alignment = _alignment(metadata)
    tensors = tuple(_read_tensor(cursor, alignment) for _ in range(tensor_count))
    data_offset = -(-cursor.position // alignment) * alignment
    _check_extents(tensors, data_offset, file_size)
    return GgufHeader(version, metadata, tensors, data_offset, file_size)


def _reader(data: bytes) -> Read:
    def read(offset: int, count: int) -> bytes:
        return data[offset : offset + count]

    return read


class _Cursor:
    """A position in the file and a window of bytes around it."""

    __slots__ = ("_read", "_start", "_window", "file_size", "position")

    def __init__(self, read: Read, file_size: int) -> None:
        self._read = read
        self._start = 0
        self._window = b""
        self.file_size = file_size
        self.position = 0

    def need(self, count: int) -> None:
        """Fail early when ``count`` more bytes cannot be there, or would make the header too long."""
        if count > self.file_size - self.position:
            raise GgufError(GgufProblem.TRUNCATED, f"the header ends at byte {self.file_size}")
        if self.position + count > MAX_HEADER:
            raise GgufError(GgufProblem.TOO_LARGE, f"the header is longer than {MAX_HEADER // MIB} MiB")

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        begin = self._fill(count)
        self.position += count
        return self._window[begin : begin + count]

    def _fill(self, count: int) -> int:
        """Bring the next ``count`` bytes into the window; where they begin in it."""
        self.need(count)
        begin = self.position - self._start
        if begin < 0 or begin + count > len(self._window):
            self._window = self._read(self.position, min(max(count, _WINDOW), self.file_size - self.position))
            self._start, begin = self.position, 0
            if len(self._window) < count:
                raise GgufError(GgufProblem.TRUNCATED, f"the file ends after byte {self._start + len(self._window)}")
        return begin

    def skip_texts(self, count: int, what: str) -> None:
        """Pass over ``count`` strings: a vocabulary has hundreds of thousands, so this loop is kept tight."""
        self.need(8 * count)
        while count:
            at = self._fill(8)
            window, last = self._window, len(self._window) - 8
            while count and at <= last:
                (length,) = _LENGTH.unpack_from(window, at)
                if length > MAX_STRING:
                    raise GgufError(GgufProblem.TOO_LARGE, f"{what} of {length} bytes")
                at += 8 + length
                count -= 1
            self.position = self._start + at
            self.need(0)

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes."""
        self.need(count)
        self.position += count

    def u32(self) -> int:
        return int.from_bytes(self.take(4), "little")

    def u64(self) -> int:
        return int.from_bytes(self.take(8), "little")

    def length(self, limit: int, what: str) -> int:
        """The length of the string that follows."""
        count = self.u64()
        if count > limit:
            raise GgufError(GgufProblem.TOO_LARGE, f"{what} of {count} bytes before byte {self.position}")
        return count

    def name(self, limit: int, what: str) -> str:
        """A short UTF-8 string without control characters, never empty."""
        raw = self.take(self.length(limit, what))
        try:
            name = raw.decode()
        except UnicodeDecodeError as error:
            raise GgufError(GgufProblem.NAME, f"{what} before byte {self.position} is not UTF-8") from error
        if not name or not name.isprintable():
            raise GgufError(GgufProblem.NAME, f"{what} before byte {self.position} is empty or not printable")
        return name

    def text(self, limit: int, keep: int) -> str:
        """A string value; undecodable bytes are replaced, what follows ``keep`` bytes is left out."""
        count = self.length(limit, "a text")
        kept = self.take(min(count, keep))
        self.skip(count - len(kept))
        return kept.decode("utf-8", "replace")


def _read_preamble(cursor: _Cursor) -> tuple[int, int, int]:
    if cursor.file_size < 4 or cursor.take(4) != b"GGUF":
        raise GgufError(GgufProblem.MAGIC, "it does not start with GGUF")
    version = cursor.u32()
    if version and version & 0xFFFF == 0:
        raise GgufError(GgufProblem.BIG_ENDIAN, "it was written for big-endian machines")
    if version not in (2, 3):
        raise GgufError(GgufProblem.VERSION, f"GGUF version {version} is not known")
    tensor_count, pair_count = cursor.u64(), cursor.u64()
    if tensor_count > MAX_TENSORS:
        raise GgufError(GgufProblem.TOO_MANY, f"{tensor_count} tensors")
    if pair_count > MAX_PAIRS:
        raise GgufError(GgufProblem.TOO_MANY, f"{pair_count} metadata entries")
    cursor.need(tensor_count * _SMALLEST_TENSOR + pair_count * _SMALLEST_PAIR)
    return version, tensor_count, pair_count


def _read_pairs(cursor: _Cursor, count: int) -> dict[str, Scalar | GgufArray]:
    metadata: dict[str, Scalar | GgufArray] = {}
    for _ in range(count):
        key = cursor.name(MAX_KEY, "a key")
        if key in metadata:
            raise GgufError(GgufProblem.DUPLICATE, f"the key {key} is there twice")
        value_type = cursor.u32()
        metadata[key] = _read_array(cursor, key) if value_type == _ARRAY else _read_scalar(cursor, value_type, key)
    return metadata


def _read_scalar(cursor: _Cursor, value_type: int, key: str) -> Scalar:
    if value_type == _STRING:
        template = key.startswith("tokenizer.chat_template")
        return cursor.text(MAX_TEMPLATE, MAX_TEMPLATE) if template else cursor.text(MAX_STRING, _KEPT_STRING)
    layout = _SCALARS.get(value_type)
    if layout is None:
        raise GgufError(GgufProblem.VALUE_TYPE, f"{key} has the unknown type {value_type}")
    value: int | float = struct.unpack(layout, cursor.take(struct.calcsize(layout)))[0]
    return _as_bool(value, key) if value_type == _BOOL else value


def _as_bool(value: float, key: str) -> bool:
    if value not in (0, 1):
        raise GgufError(GgufProblem.VALUE, f"{key} is neither true nor false")
    return value == 1


def _read_array(cursor: _Cursor, key: str) -> GgufArray:
    element_type, count = cursor.u32(), cursor.u64()
    if element_type == _ARRAY:
        raise GgufError(GgufProblem.NESTED_ARRAY, f"{key} is an array of arrays")
    if count > MAX_ARRAY:
        raise GgufError(GgufProblem.TOO_MANY, f"{key} has {count} elements")
    if element_type == _STRING:
        cursor.skip_texts(count, f"an element of {key}")
        return GgufArray(element_type, count, None)
    layout = _SCALARS.get(element_type)
    if layout is None:
        raise GgufError(GgufProblem.VALUE_TYPE, f"{key} holds the unknown type {element_type}")
    size = struct.calcsize(layout)
    if count > _KEPT_ARRAY:
        cursor.skip(size * count)
        return GgufArray(element_type, count, None)
    values: tuple[int | float, ...] = struct.unpack(f"<{count}{layout[1]}", cursor.take(size * count))
    if element_type == _BOOL:
        return GgufArray(element_type, count, tuple(_as_bool(value, key) for value in values))
    return GgufArray(element_type, count, values)


def _alignment(metadata: dict[str, Scalar | GgufArray]) -> int:
    value = metadata.get("general.alignment", 32)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_ALIGNMENT or value & (value - 1):
        raise GgufError(GgufProblem.ALIGNMENT, "general.alignment is not a power of two")
    return value


def _read_tensor(cursor: _Cursor, alignment: int) -> GgufTensor:
    name = cursor.name(MAX_TENSOR_NAME, "a tensor's name")
    dimensions = cursor.u32()
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise GgufError(GgufProblem.DIMENSIONS, f"the tensor {name} has {dimensions} dimensions")
    shape = tuple(cursor.u64() for _ in range(dimensions))
    number, offset = cursor.u32(), cursor.u64()
    kind = TENSOR_TYPES.get(number)
    if kind is None:
        raise GgufError(GgufProblem.TENSOR_TYPE, f"the tensor {name} has the unknown type {number}")
    elements = 1
    for size in shape:
        elements *= size
    if not 0 < elements < MAX_ELEMENTS or shape[0] % kind.block:
        raise GgufError(GgufProblem.DIMENSIONS, f"the tensor {name} has the impossible shape {list(shape)}")
    if offset % alignment:
        raise GgufError(GgufProblem.ALIGNMENT, f"the tensor {name} starts at the unaligned offset {offset}")
    return GgufTensor(name, shape, kind, offset, elements // kind.block * kind.bytes)


def _check_extents(tensors: tuple[GgufTensor, ...], data_offset: int, file_size: int) -> None:
    names: set[str] = set()
    end = 0
    for tensor in sorted(tensors, key=lambda tensor: tensor.offset):
        if tensor.name in names:
            raise GgufError(GgufProblem.DUPLICATE, f"the tensor {tensor.name} is there twice")
        names.add(tensor.name)
        if tensor.offset < end:
            raise GgufError(GgufProblem.OVERLAP, f"the tensor {tensor.name} overlaps another")
        end = tensor.offset + tensor.bytes
        if data_offset + end > file_size:
            detail = f"the tensor {tensor.name} ends at byte {data_offset + end} of {file_size}"
            raise GgufError(GgufProblem.OUTSIDE_FILE, detail)
