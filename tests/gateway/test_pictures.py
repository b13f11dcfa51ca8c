"""Headers of pictures: real files of each kind, each way of lying in them, and any bytes at all."""

from __future__ import annotations

import base64
import io
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.gateway.hostile import HOSTILE
from tests.gateway.pictures import real

from aimindserve.domain.pictures import Picture, PictureError, Steps, inspect_picture
from aimindserve.gateway.pictures import InlinePicture


def inspect(data: bytes) -> Picture:
    return inspect_picture(lambda place, count: data[place : place + count], len(data))


REAL: list[tuple[str, str, dict[str, Any]]] = [
    ("PNG", "RGB", {}),
    ("PNG", "RGBA", {}),
    ("PNG", "P", {}),
    ("PNG", "L", {}),
    ("PNG", "1", {}),
    ("PNG", "I;16", {}),
    ("JPEG", "RGB", {}),
    ("JPEG", "RGB", {"progressive": True}),
    ("JPEG", "CMYK", {}),
    ("JPEG", "L", {"quality": 5}),
    ("JPEG", "RGB", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", "icc_profile": b"x" * 70_000}),
    ("WEBP", "RGB", {}),
    ("WEBP", "RGBA", {}),
    ("WEBP", "RGB", {"lossless": True}),
    ("WEBP", "RGB", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}),
    ("GIF", "P", {}),
    ("GIF", "RGB", {"comment": b"x" * 1000}),
]


@pytest.mark.parametrize(("kind", "mode", "options"), REAL)
@pytest.mark.parametrize("size", [(64, 48), (4, 4), (641, 997)])
def test_what_encoders_write(kind: str, mode: str, options: dict[str, Any], size: tuple[int, int]) -> None:
    data = real(kind, size, mode, **options)
    assert inspect(data) == Picture(kind.lower(), *size)
    text = base64.b64encode(data)
    picture = InlinePicture(memoryview(text))
    assert picture.size == len(data)
    assert inspect_picture(picture.read, picture.size) == Picture(kind.lower(), *size)


def test_what_phones_put_behind_a_picture() -> None:
    assert inspect(real("JPEG") + b"MotionPhoto_Data" + bytes(300_000)).kind == "jpeg"
    assert inspect(real("PNG") + bytes(5000)).kind == "png"


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_pictures_are_refused(name: str) -> None:
    with pytest.raises(PictureError):
        inspect(HOSTILE[name])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_cut_is_noticed(kind: str) -> None:
    whole = real(kind, (64, 48))
    for length in range(len(whole) - 1):
        with pytest.raises(PictureError):
            inspect(whole[:length])


@given(st.data())
def test_changed_bytes_never_pass_for_more_than_they_are(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]))
    picture = bytearray(real(kind, (40, 30)))
    for _ in range(data.draw(st.integers(1, 6))):
        picture[data.draw(st.integers(0, min(len(picture), 200) - 1))] = data.draw(st.integers(0, 255))
    try:
        seen = inspect(bytes(picture))
    except PictureError:
        return
    try:
        with Image.open(io.BytesIO(bytes(picture))) as opened:
            sides = opened.size
    except (OSError, ValueError, SyntaxError, struct.error):
        return
    assert sides == (seen.width, seen.height)


@given(
    st.binary(max_size=300), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\x99\0\0\0WEBP"])
)
def test_any_bytes_are_answered(data: bytes, magic: bytes) -> None:
    for whole in (data, magic + data):
        try:
            inspect(whole)
        except PictureError:
            continue


def test_steps_are_shared_by_the_pictures_of_a_request() -> None:
    steps = Steps(7)
    data = real("PNG")  # header, sides, pixels, end: 4 reads
    inspect_picture(lambda place, count: data[place : place + count], len(data), steps)
    with pytest.raises(PictureError, match="too many pieces"):
        inspect_picture(lambda place, count: data[place : place + count], len(data), steps)


@given(st.binary(min_size=1, max_size=6000), st.integers(0, 6100), st.integers(1, 5000))
def test_reading_out_of_the_middle_of_base64(data: bytes, place: int, count: int) -> None:
    for text in (base64.b64encode(data), base64.b64encode(data).rstrip(b"=")):
        assert InlinePicture(memoryview(text)).read(place, count) == data[place : place + count]
