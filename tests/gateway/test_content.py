"""What may stand in the content of a request: pictures inside it, and nothing that an engine would have to fetch."""

from __future__ import annotations

import msgspec
import pytest
from tests.gateway.harness import Rig, post, route
from tests.gateway.pictures import shell, uri

PICTURE = uri(shell())

MEDIA = [
    ({"url": PICTURE}, True),
    (PICTURE, True),
    ({"url": "https://example.com/a.png"}, False),
    ({"url": "http://169.254.169.254/latest"}, False),
    ({"url": "file:///etc/passwd"}, False),
    ({"url": "//example.com/a.png"}, False),
    ({"url": " " + PICTURE}, False),
    ({"url": ""}, False),
    ({"url": 5}, False),
    ({}, False),
    ("https://example.com/a.png", False),
]


@pytest.mark.parametrize(("reference", "passes"), MEDIA)
@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("image", "/v1/chat/completions"),
        ("audio", "/v1/chat/completions"),
        ("image", "/v1/completions"),
        ("image", "/v1/embeddings"),
        ("image", "/v1/tokenize"),
        ("audio", "/v1/embeddings"),
    ],
)
async def test_engines_are_never_sent_to_fetch(
    stage: Rig, reference: object, passes: bool, kind: str, path: str
) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    parts = [{"type": "text", "text": "see https://example.com/x.png"}, {"type": "image_url", f"{kind}_url": reference}]
    body = msgspec.json.encode({"model": "tiny", "messages": [{"role": "user", "content": parts}]})
    answer = await stage.ask(post(body, path))
    if passes:
        assert (answer.status, engine.seen[0].body) == (200, body)
    else:
        assert (answer.status, answer.error["code"]) == (400, f"{kind}_url_not_supported")
        assert "data:" in answer.error["message"]
        assert not engine.seen


TRICKS = [
    (b'{"url":"\\u0064%b"}' % PICTURE[1:].encode(), 200),
    (b'{"url":"%b"}' % PICTURE.replace("/", "\\/").encode(), 200),
    (rb'{"url":"\u0068ttp://x/y"}', 400),
    (rb'{"url":"data:image/png;base64,AA","url":"http://x/y"}', 400),  # parsers keep the last of two
    (rb'{"detail":"low","url":"http:\/\/x\/y"}', 400),
    (rb'{"URL":"http://x/y"}', 400),
]


@pytest.mark.parametrize(("reference", "status"), TRICKS)
async def test_spelling_does_not_hide_an_address(stage: Rig, reference: bytes, status: int) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    body = b'{"model":"tiny","messages":[{"role":"user","content":[{"type":"image_url","image_url":%b}]}]}' % reference
    assert (await stage.ask(post(body))).status == status


async def test_an_address_in_plain_text_is_text(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    text = "![x](https://example.com/a.png) image_url http://169.254.169.254"
    for content in (text, [{"type": "text", "text": text}], [text], None):
        body = msgspec.json.encode({"model": "tiny", "messages": [{"role": "user", "content": content}]})
        assert (await stage.ask(post(body))).status == 200
