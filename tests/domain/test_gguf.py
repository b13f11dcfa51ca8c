"""The GGUF header reader, against the ``gguf`` package and against hostile bytes."""

import struct
import tracemalloc
from pathlib import Path

import gguf as oracle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.gguf_files import write_model, write_projector

from aimindserve.domain.gguf import MAX_ARRAY, GgufArray, GgufError, GgufProblem, read_header
from aimindserve.domain.gguf_types import FILE_TYPES, TENSOR_TYPES


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("gguf") / "model.gguf")


@pytest.fixture(scope="module")
def projector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_projector(tmp_path_factory.mktemp("gguf") / "mmproj.gguf")


def test_type_tables_agree_with_the_oracle() -> None:
    ours = {number: (kind.name, kind.block, kind.bytes) for number, kind in TENSOR_TYPES.items()}
    theirs = {int(kind): (kind.name, *sizes) for kind, sizes in oracle.GGML_QUANT_SIZES.items()}
    assert ours == theirs
    names = {int(kind): kind.name.removeprefix("ALL_").removeprefix("MOSTLY_") for kind in oracle.LlamaFileType}
    names.pop(int(oracle.LlamaFileType.GUESSED))
    assert names == FILE_TYPES


@pytest.mark.parametrize("which", ["model", "projector"])
def test_agrees_with_the_oracle(which: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(which)
    header = read_header(path.read_bytes())
    reader = oracle.GGUFReader(path)
    fields = {key: field for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    assert header.metadata.keys() == fields.keys()
    for key, field in fields.items():
        value = header.metadata[key]
        if isinstance(value, GgufArray):
            assert value.count == len(field.data)
        else:
            assert value == field.contents()
    assert header.data_offset == reader.data_offset
    ours = [(t.name, t.shape, t.elements, t.bytes, header.data_offset + t.offset) for t in header.tensors]
    theirs = [(t.name, tuple(t.shape.tolist()), t.n_elements, t.n_bytes, t.data_offset) for t in reader.tensors]
    assert ours == theirs


QUANTIZED = ["Q8_0", "Q4_0", "Q5_1", "BF16", "TQ1_0"]


@pytest.mark.parametrize("name", QUANTIZED)
def test_sizes_of_quantized_tensors_agree_with_the_oracle(name: str, tmp_path: Path) -> None:
    kind = oracle.GGMLQuantizationType[name]
    writer = oracle.GGUFWriter(tmp_path / "q.gguf", "llama")
    writer.add_tensor("a", oracle.quants.quantize(np.ones((3, 512), np.float32), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (tensor,) = read_header((tmp_path / "q.gguf").read_bytes()).tensors
    assert tensor.type.name == name
    assert tensor.bytes == oracle.GGUFReader(tmp_path / "q.gguf").tensors[0].n_bytes


def test_reads_windows_of_a_long_file_only(tmp_path: Path) -> None:
    path = write_model(tmp_path / "big.gguf", tokens=60_000)
    data = path.read_bytes()
    asked: list[tuple[int, int]] = []

    def read(offset: int, count: int) -> bytes:
        asked.append((offset, count))
        return data[offset : offset + count]

    header = read_header(read, len(data))
    assert header == read_header(data)
    assert sum(count for _, count in asked) < header.data_offset + 2 * 1024 * 1024


class Writer:
    """Writes GGUF by hand, so that it can lie."""

    def __init__(self, tensors: int = 0, pairs: int = 0, version: int = 3, magic: bytes = b"GGUF") -> None:
        self.data = magic + struct.pack("<IQQ", version, tensors, pairs)

    def string(self, text: bytes, length: int | None = None) -> "Writer":
        return self.raw(struct.pack("<Q", len(text) if length is None else length) + text)

    def raw(self, data: bytes) -> "Writer":
        self.data += data
        return self

    def u32(self, value: int) -> "Writer":
        return self.raw(struct.pack("<I", value))

    def u64(self, value: int) -> "Writer":
        return self.raw(struct.pack("<Q", value))

    def tensor(self, name: bytes, shape: tuple[int, ...], kind: int = 0, offset: int = 0) -> "Writer":
        self.string(name).u32(len(shape))
        for size in shape:
            self.u64(size)
        return self.u32(kind).u64(offset)


PAD = b"\0" * 4096
HUGE = (1 << 64) - 1
HOSTILE = {
    "empty": (b"", GgufProblem.MAGIC),
    "another format": (b"PK\3\4" + PAD, GgufProblem.MAGIC),
    "old version": (Writer(version=1).data + PAD, GgufProblem.VERSION),
    "version zero": (Writer(version=0).data + PAD, GgufProblem.VERSION),
    "big-endian": (Writer(version=3 << 24).data + PAD, GgufProblem.BIG_ENDIAN),
    "only the magic": (b"GGUF", GgufProblem.TRUNCATED),
    "huge tensor count": (Writer(tensors=HUGE).data + PAD, GgufProblem.TOO_MANY),
    "huge pair count": (Writer(pairs=HUGE).data + PAD, GgufProblem.TOO_MANY),
    "more tensors than bytes": (Writer(tensors=60_000).data + PAD, GgufProblem.TRUNCATED),
    "more pairs than bytes": (Writer(pairs=60_000).data + PAD, GgufProblem.TRUNCATED),
    "huge key": (Writer(pairs=1).string(b"a", HUGE).data + PAD, GgufProblem.TOO_LARGE),
    "key is not UTF-8": (Writer(pairs=1).string(b"\xff\xfe").data + PAD, GgufProblem.NAME),
    "key with a line break": (Writer(pairs=1).string(b"a\nb").data + PAD, GgufProblem.NAME),
    "empty key": (Writer(pairs=1).string(b"").data + PAD, GgufProblem.NAME),
    "key twice": (Writer(pairs=2).string(b"a").u32(4).u32(1).string(b"a").data + PAD, GgufProblem.DUPLICATE),
    "unknown value type": (Writer(pairs=1).string(b"a").u32(99).data + PAD, GgufProblem.VALUE_TYPE),
    "neither true nor false": (Writer(pairs=1).string(b"a").u32(7).raw(b"\2").data + PAD, GgufProblem.VALUE),
    "huge string": (Writer(pairs=1).string(b"a").u32(8).u64(HUGE).data + PAD, GgufProblem.TOO_LARGE),
    "string past the end": (Writer(pairs=1).string(b"a").u32(8).u64(9999).data + PAD, GgufProblem.TRUNCATED),
    "huge array": (Writer(pairs=1).string(b"a").u32(9).u32(4).u64(HUGE).data + PAD, GgufProblem.TOO_MANY),
    "huge element": (
        Writer(pairs=1).string(b"a").u32(9).u32(8).u64(3).string(b"x").u64(HUGE).data + PAD,
        GgufProblem.TOO_LARGE,
    ),
    "element past the end": (
        Writer(pairs=1).string(b"a").u32(9).u32(8).u64(3).string(b"x").u64(9999).data + PAD,
        GgufProblem.TRUNCATED,
    ),
    "array past the end": (Writer(pairs=1).string(b"a").u32(9).u32(8).u64(MAX_ARRAY).data + PAD, GgufProblem.TRUNCATED),
    "array of arrays": (Writer(pairs=1).string(b"a").u32(9).u32(9).u64(1).data + PAD, GgufProblem.NESTED_ARRAY),
    "array of unknown": (Writer(pairs=1).string(b"a").u32(9).u32(77).u64(1).data + PAD, GgufProblem.VALUE_TYPE),
    "alignment zero": (
        Writer(pairs=1).string(b"general.alignment").u32(4).u32(0).data + PAD,
        GgufProblem.ALIGNMENT,
    ),
    "alignment is no power of two": (
        Writer(pairs=1).string(b"general.alignment").u32(4).u32(48).data + PAD,
        GgufProblem.ALIGNMENT,
    ),
    "no dimensions": (Writer(tensors=1).tensor(b"t", ()).data + PAD, GgufProblem.DIMENSIONS),
    "too many dimensions": (Writer(tensors=1).tensor(b"t", (1,) * 5).data + PAD, GgufProblem.DIMENSIONS),
    "4 billion dimensions": (Writer(tensors=1).string(b"t").u32(0xFFFFFFFF).data + PAD, GgufProblem.DIMENSIONS),
    "a dimension of zero": (Writer(tensors=1).tensor(b"t", (0, 4)).data + PAD, GgufProblem.DIMENSIONS),
    "product overflows 64 bits": (
        Writer(tensors=1).tensor(b"t", (1 << 33, 1 << 33)).data + PAD,
        GgufProblem.DIMENSIONS,
    ),
    "product wraps to a small one": (
        Writer(tensors=1).tensor(b"t", (1 << 63, 2, 1)).data + PAD,
        GgufProblem.DIMENSIONS,
    ),
    "row is no whole block": (Writer(tensors=1).tensor(b"t", (31,), 8).data + PAD, GgufProblem.DIMENSIONS),
    "unknown tensor type": (Writer(tensors=1).tensor(b"t", (32,), 4).data + PAD, GgufProblem.TENSOR_TYPE),
    "unaligned offset": (Writer(tensors=1).tensor(b"t", (32,), 0, 7).data + PAD, GgufProblem.ALIGNMENT),
    "long tensor name": (Writer(tensors=1).tensor(b"t" * 65, (32,)).data + PAD, GgufProblem.TOO_LARGE),
    "tensor larger than the file": (Writer(tensors=1).tensor(b"t", (1 << 20,)).data + PAD, GgufProblem.OUTSIDE_FILE),
    "tensor past the end": (Writer(tensors=1).tensor(b"t", (32,), 0, 1 << 40).data + PAD, GgufProblem.OUTSIDE_FILE),
    "tensor name twice": (
        Writer(tensors=2).tensor(b"t", (32,)).tensor(b"t", (32,), 0, 128).data + PAD,
        GgufProblem.DUPLICATE,
    ),
    "overlapping tensors": (
        Writer(tensors=2).tensor(b"t", (32,)).tensor(b"u", (32,), 0, 96).data + PAD,
        GgufProblem.OVERLAP,
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_headers_are_refused(case: str) -> None:
    data, problem = HOSTILE[case]
    tracemalloc.start()
    try:
        with pytest.raises(GgufError) as caught:
            read_header(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.problem is problem
    assert peak < 4 * 1024 * 1024


def test_a_header_longer_than_the_limit_is_refused_without_reading_it_all() -> None:
    head = Writer(pairs=1000).string(b"a").u32(8).u64(1 << 20).data
    pair = struct.pack("<Q", 1)
    read_bytes = 0

    def read(offset: int, count: int) -> bytes:
        nonlocal read_bytes
        read_bytes += count
        if offset == 0:
            return (head + b"x" * count)[:count]
        # Every later window starts at a key: one letter, then another string of 1 MiB.
        return (pair + bytes([97 + offset // (1 << 20) % 26]) + struct.pack("<IQ", 8, 1 << 20) + b"x" * count)[:count]

    with pytest.raises(GgufError):
        read_header(read, 1 << 40)
    assert read_bytes < 140 * 1024 * 1024


def test_a_file_that_was_cut_anywhere_is_refused(model: Path) -> None:
    data = model.read_bytes()
    last = max(t.offset + t.bytes for t in read_header(data).tensors) + read_header(data).data_offset
    for length in [*range(400), *range(400, last, 997), last - 1]:
        with pytest.raises(GgufError):
            read_header(data[:length])
    assert read_header(data[:last]).tensors


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_mutations_give_a_header_or_a_clean_error(model: Path, data: st.DataObject) -> None:
    original = bytearray(model.read_bytes())
    end = read_header(bytes(original)).data_offset
    for _ in range(data.draw(st.integers(1, 6), label="mutations")):
        where = data.draw(st.integers(0, end - 1), label="where")
        with_what = data.draw(
            st.one_of(st.binary(min_size=1, max_size=9), st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\xff" * 4])),
            label="bytes",
        )
        original[where : where + len(with_what)] = with_what
    _assert_clean(bytes(original))


@settings(max_examples=300, deadline=None)
@given(tail=st.binary(max_size=400), tensors=st.integers(0, 3), pairs=st.integers(0, 3))
def test_random_bytes_give_a_header_or_a_clean_error(tail: bytes, tensors: int, pairs: int) -> None:
    _assert_clean(Writer(tensors, pairs).data + tail)


def _assert_clean(data: bytes) -> None:
    error: GgufError | None = None
    try:
        header = read_header(data)
    except GgufError as caught:
        error = caught
    if error is not None:
        assert error.problem in GgufProblem
        assert error.detail.isprintable()
        return
    assert all(header.data_offset + t.offset + t.bytes <= len(data) for t in header.tensors)
