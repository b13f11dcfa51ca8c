"""What headers tell: models, projectors, splits, and files that say little or nonsense."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.gguf_files import write_model, write_projector

from aimindserve.domain.gguf import GgufArray, GgufHeader, GgufTensor, read_header
from aimindserve.domain.gguf_facts import GgufKind, GgufSummary, Split, summarize
from aimindserve.domain.gguf_types import TENSOR_TYPES


def _of(path: Path) -> GgufSummary:
    return summarize(read_header(path.read_bytes()))


def _header(metadata: dict[str, Any], tensors: dict[str, tuple[int, ...]] | None = None) -> GgufHeader:
    made = tuple(
        GgufTensor(name, shape, TENSOR_TYPES[0], 0, 4) for name, shape in (tensors or {"blk.0.x": (1,)}).items()
    )
    return GgufHeader(3, metadata, made, 0, 0)


def test_a_model(tmp_path: Path) -> None:
    summary = _of(write_model(tmp_path / "m.gguf", name="Qwen2 VL Tiny", width=64, layers=3, tokens=50))
    assert summary.kind is GgufKind.MODEL
    assert (summary.architecture, summary.name, summary.quantization) == ("qwen2vl", "Qwen2 VL Tiny", "F16")
    assert (summary.context_length, summary.layers, summary.heads, summary.kv_heads) == (4096, 3, 2, 1)
    assert (summary.embedding_size, summary.key_size, summary.value_size) == (64, 32, 32)
    assert (summary.feed_forward_size, summary.vocabulary_size) == (128, 50)
    assert summary.has_chat_template
    assert summary.parameters == 50 * 64 + 3 * 64 * 64 + 64
    assert summary.sizes.embedding == 50 * 64 * 2
    assert summary.sizes.layers == 3 * 64 * 64 * 2
    assert summary.sizes.output == 64 * 4
    assert summary.sizes.total == summary.sizes.language == summary.sizes.embedding + summary.sizes.layers + 256
    assert summary.split is None
    assert summary.projector is None


def test_a_projector(tmp_path: Path) -> None:
    summary = _of(write_projector(tmp_path / "p.gguf", width=64))
    assert summary.kind is GgufKind.PROJECTOR
    projector = summary.projector
    assert projector is not None
    assert (projector.type, projector.widths) == ("qwen2vl_merger", (64,))
    assert (projector.sees, projector.hears) == (True, False)
    assert (projector.image_size, projector.patch_size, projector.merge_size) == (560, 14, 2)
    assert (projector.width, projector.feed_forward, projector.heads, projector.layers) == (32, 96, 4, 3)
    assert summary.sizes.vision == 32 * 3 * 14 * 14 * 2
    assert summary.sizes.projector == 64 * 128 * 2
    assert summary.sizes.language == 0


def test_kv_heads_that_differ_by_layer_count_as_the_largest(tmp_path: Path) -> None:
    assert _of(write_model(tmp_path / "m.gguf", kv_heads=[1, 4, 2])).kv_heads == 4


def test_a_part_of_a_split_model(tmp_path: Path) -> None:
    assert _of(write_model(tmp_path / "m.gguf", split=(1, 3))).split == Split(number=1, count=3, tensors=None)


def test_an_old_projector_declares_its_towers_width_and_shows_its_own() -> None:
    header = _header(
        {"general.architecture": "clip", "clip.vision.projection_dim": 768},
        {"mm.0.weight": (1024, 4096), "mm.2.weight": (4096, 4096), "v.blk.0.attn_q.weight": (1024, 1024)},
    )
    projector = summarize(header).projector
    assert projector is not None
    assert projector.widths == (768, 4096)
    assert projector.sees


def test_audio_only_projectors_do_not_see() -> None:
    projector = summarize(_header({"general.architecture": "clip", "clip.has_audio_encoder": True})).projector
    assert projector is not None
    assert (projector.sees, projector.hears) == (False, True)


def test_files_that_are_no_models() -> None:
    for metadata in ({"general.type": "adapter"}, {"general.type": "imatrix"}, {"general.architecture": "imatrix"}):
        assert summarize(_header(metadata)).kind is GgufKind.OTHER
    empty = GgufHeader(3, {"general.architecture": "llama"}, (), 0, 0)
    assert summarize(empty).kind is GgufKind.OTHER


def test_a_header_that_says_nothing() -> None:
    summary = summarize(_header({}))
    assert (summary.architecture, summary.name) == ("unknown", "")
    assert summary.quantization == "F32"
    assert summary.layers is summary.heads is summary.kv_heads is summary.vocabulary_size is None


KEYS = st.sampled_from(
    [
        "general.architecture", "general.name", "general.type", "general.file_type", "split.no", "split.count",
        "x.block_count", "x.embedding_length", "x.attention.head_count", "x.attention.head_count_kv",
        "x.context_length", "tokenizer.ggml.tokens", "tokenizer.chat_template", "clip.projector_type",
        "clip.vision.projection_dim", "clip.has_vision_encoder", "clip.has_audio_encoder",
        "clip.vision.spatial_merge_size",
    ]
)  # fmt: skip
SCALARS = st.one_of(
    st.integers(-5, 5), st.integers(-(1 << 63), (1 << 64) - 1), st.floats(), st.booleans(),
    st.sampled_from(["x", "clip", "mmproj", "model", ""]),
)  # fmt: skip
ARRAYS = st.builds(
    GgufArray, st.just(5), st.integers(0, 9), st.one_of(st.none(), st.lists(SCALARS, max_size=4).map(tuple))
)


@given(metadata=st.dictionaries(KEYS, SCALARS | ARRAYS))
def test_nonsense_never_fails(metadata: dict[str, Any]) -> None:
    summary = summarize(_header(metadata, {"mm.0.weight": (3,), "t": (1, 1)}))
    for size in (summary.layers, summary.heads, summary.kv_heads, summary.context_length, summary.key_size):
        assert size is None or 0 < size < 1 << 31
