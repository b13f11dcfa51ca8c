"""The head of an engine's answer, as its client gets it."""

from typing import TYPE_CHECKING

from aimindserve.gateway.answers import AnswerHead
from aimindserve.gateway.errors import reason_phrase

if TYPE_CHECKING:
    from aimindserve.gateway.connection import Connection


def client_head(head: AnswerHead, client: "Connection", chunked: bool, events: bool, about: bytes) -> bytes:
    """``chunked``, ``events``: how the body follows, and whether it is a stream of events; ``about``: further header
    lines. A body of unknown length that the client cannot take in chunks ends with the connection."""
    if head.length is not None and not events:
        framing = b"content-length: %d\r\n" % head.length
    elif chunked:
        framing = b"transfer-encoding: chunked\r\n"
    else:
        framing = b""
        client.keep_alive = False
    if events:  # proxies in front of us must not gather events
        framing += b"cache-control: no-cache\r\nx-accel-buffering: no\r\n"
    return b"HTTP/1.1 %d %b\r\ncontent-type: %b\r\n%b%b%b\r\n" % (
        head.status,
        reason_phrase(head.status),
        head.content_type or b"application/json",
        framing,
        about,
        client.connection_line(),
    )
