"""Forms: the model is found wherever it stands, nothing is copied, and what is no form is refused."""

from __future__ import annotations

import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.harness import Rig, post, route

from aimindserve.gateway.body import BodyView
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.forms import look_form

TYPE = b"multipart/form-data; boundary=xYz"
TEXT = "/v1/audio/transcriptions"


def field(name: str, value: bytes, more: str = "") -> bytes:
    return f'--xYz\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def file(content: bytes) -> bytes:
    return field("file", content, '; filename="a.wav"\r\nContent-Type: audio/wav')


END = b"--xYz--\r\n"
MODEL = field("model", b"tiny")


@pytest.mark.parametrize(
    "parts",
    [[MODEL, file(b"sound")], [file(b"sound"), MODEL], [field("language", b"en"), file(b"\r\n--xY\r\n\r\n"), MODEL]],
)
async def test_a_form_reaches_the_engine_as_it_is(stage: Rig, parts: list[bytes]) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    body = b"".join(parts) + END
    answer = await stage.ask(post(body, TEXT, headers=f"Content-Type: {TYPE.decode()}\r\n"))
    assert (answer.status, engine.seen[0].body) == (200, body)
    assert engine.seen[0].header("content-type") == TYPE.decode()


BAD = [
    (TYPE, b"", 400, "invalid_form"),
    (TYPE, END, 400, "missing_required_parameter"),
    (TYPE, file(b"x") + END, 400, "missing_required_parameter"),
    (TYPE, MODEL, 400, "invalid_form"),
    (TYPE, MODEL + MODEL + END, 400, "invalid_form"),
    (TYPE, MODEL + field("n_discard", b"1") + END, 400, "parameter_not_allowed"),
    (TYPE, MODEL + field("prompt", b"x" * 70_000) + END, 400, "invalid_form"),
    (TYPE, b"--xYz\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + MODEL + END, 400, "invalid_form"),
    (TYPE, MODEL + b"".join(field(f"f{n}", b"") for n in range(70)) + END, 400, "invalid_form"),
    (b"multipart/form-data", MODEL + END, 415, "unsupported_media_type"),
    (b"application/json", b'{"model":"tiny"}', 415, "unsupported_media_type"),
    (None, MODEL + END, 415, "unsupported_media_type"),
]


@pytest.mark.parametrize(("kind", "body", "status", "code"), BAD)
def test_what_is_no_form(kind: bytes | None, body: bytes, status: int, code: str) -> None:
    refusal = look_form(body, kind)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.code) == (status, code)


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_a_file_of_any_bytes(sound: bytes, other: bytes) -> None:
    if re.search(rb"\r\n--xYz", sound + b"\r\n" + other):
        return
    view = look_form(file(sound) + MODEL + field("other", other, '; filename="b"') + END, TYPE)
    assert isinstance(view, BodyView)
    assert view.model == "tiny"


@given(st.binary(max_size=600))
def test_any_bytes_are_answered(body: bytes) -> None:
    for whole in (body, b"--xYz\r\n" + body, MODEL + body + END):
        assert isinstance(look_form(whole, TYPE), BodyView | Refusal)


def test_the_file_is_not_copied() -> None:
    body = bytearray(file(bytes(16 * 1024**2)) + MODEL + END)
    tracemalloc.start()
    try:
        assert isinstance(look_form(body, TYPE), BodyView)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()
