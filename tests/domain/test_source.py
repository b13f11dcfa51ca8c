"""Source URIs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.source import Source, SourceError, SourceKind, parse_source


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("demo://tiny-vlm", Source(SourceKind.DEMO, "tiny-vlm")),
        ("  file:///models/a.gguf ", Source(SourceKind.FILE, "/models/a.gguf")),
        ("/models/a b/模型.gguf", Source(SourceKind.FILE, "/models/a b/模型.gguf")),
        ("file:///models/./x/../a.gguf", Source(SourceKind.FILE, "/models/a.gguf")),
        ("file:////models//a.gguf", Source(SourceKind.FILE, "/models/a.gguf")),
        ("file:///../../etc/../models", Source(SourceKind.FILE, "/models")),
        ("hf://Qwen/Qwen2-VL-2B", Source(SourceKind.HUGGING_FACE, "Qwen/Qwen2-VL-2B")),
        ("hf://o/r@v1.0/Q4/m.gguf", Source(SourceKind.HUGGING_FACE, "o/r", "v1.0", "Q4/m.gguf")),
        ("ms://o/r/m.gguf", Source(SourceKind.MODEL_SCOPE, "o/r", None, "m.gguf")),
    ],
)
def test_what_is_a_source(text: str, source: Source) -> None:
    assert parse_source(text) == source
    assert parse_source(str(source)) == source


@pytest.mark.parametrize(
    "text",
    [
        "", "model.gguf", "./model.gguf", "~/model.gguf", "http://host/model", "file://host/model", "file:model", "file://",
        "file:///a\0b", "/a\nb", "/a\x7fb", "demo://", "demo://Tiny", "demo://a/b", "demo://../x", "hf://org", "hf://org/",
        "hf:///repo", "hf://org/repo@", "hf://org/repo@-x", "hf://o/r/../x", "hf://o/r//x", "hf://../r", "hf://o/..",
        "hf://o r/x", "hf://o/r/..", "hf://o/r/a/../../x", "FILE:///x", "hf://o/r/x/", "hf://o/r/.", "hf://o/r@a/../b",
        "hf://o/r@a..b",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(SourceError):
        parse_source(text)


@given(st.text(max_size=60))
def test_anything_is_a_source_or_a_source_error(text: str) -> None:
    for candidate in (text, f"hf://{text}", f"file:///{text}", f"demo://{text}"):
        try:
            source = parse_source(candidate)
        except SourceError:
            continue
        assert parse_source(str(source)) == source
        assert ".." not in source.location.split("/")
        assert source.kind is not SourceKind.FILE or source.location.startswith("/")
        assert "\0" not in str(source)
        assert ".." not in (source.file or "").split("/")
