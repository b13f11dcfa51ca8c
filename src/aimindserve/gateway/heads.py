"""Heads of requests: llhttp reads them, this module checks what a proxy must be sure of before it passes one on.

Only heads go through llhttp, one fresh parser each, so that nothing of a body is ever taken for a head.
"""

from collections.abc import Callable
from dataclasses import dataclass

import httptools

# What may stand in a head, besides the line ends that are counted: tab, visible ASCII, and bytes of other encodings.
_ALLOWED = bytes([9, 10, 13, *range(0x20, 0x7F), *range(0x80, 0x100)])
_VERSIONS = {"1.1": (1, 1), "1.0": (1, 0)}
# A header that decides about framing, identity or routing means nothing good when it comes twice.
_ONCE = frozenset({b"host", b"content-length", b"transfer-encoding", b"authorization", b"x-api-key", b"content-type"})


@dataclass(frozen=True, slots=True)
class BadHead:
    """A head that is refused; the connection is closed after the answer."""

    status: int
    why: str


class RequestHead:
    """One request's head. Header names are in lower case; ``target`` is the path with its query."""

    __slots__ = (
        "chunked",
        "expects_continue",
        "headers",
        "keep_alive",
        "length",
        "method",
        "path",
        "target",
        "version",
    )

    def __init__(self) -> None:
        self.method = b""
        self.target = b""
        self.path = ""
        self.version: tuple[int, int] = (1, 1)
        self.headers: list[tuple[bytes, bytes]] = []
        self.length = 0
        self.chunked = False
        self.keep_alive = True
        self.expects_continue = False

    def get(self, name: bytes) -> bytes | None:
        """The first value of a header, by its name in lower case."""
        for known, value in self.headers:
            if known == name:
                return value
        return None

    # llhttp's callbacks
    def on_url(self, url: bytes) -> None:
        """Part of the target."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self.headers.append((name.lower(), value))


def parse_head(block: bytes, max_headers: int) -> RequestHead | BadHead:
    """The head in ``block``, which ends with the first empty line (CRLF CRLF)."""
    if block.translate(None, _ALLOWED):
        return BadHead(400, "the head has control characters")
    lines = block.count(b"\r\n")
    if block.count(b"\n") != lines or block.count(b"\r") != lines:
        return BadHead(400, "the head has a line that does not end with CRLF")
    if lines - 2 > max_headers:
        return BadHead(431, f"more than {max_headers} headers")
    head = RequestHead()
    parser = httptools.HttpRequestParser(head)
    try:
        parser.feed_data(block)
    except httptools.HttpParserUpgrade:
        pass  # nothing here changes its protocol: the request is answered as if it had not asked (RFC 9110, 7.8)
    except httptools.HttpParserError as error:
        return BadHead(400, _reason(error))
    version = _VERSIONS.get(parser.get_http_version())
    if version is None:
        return BadHead(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    head.method, head.version = parser.get_method(), version
    head.keep_alive = version == (1, 1)
    return _note_headers(head) or _note_target(head) or head


def _reason(error: httptools.HttpParserError) -> str:
    text = str(error)
    return text[:1].lower() + text[1:] if text and len(text) < 80 else "the head cannot be read"


def _note_headers(head: RequestHead) -> BadHead | None:
    """Set what follows from single headers; a refusal when they contradict each other."""
    seen: set[bytes] = set()
    for name, value in head.headers:
        if name in _ONCE:
            if name in seen:
                return BadHead(400, f"two {name.decode()} headers")
            seen.add(name)
        note = _NOTES.get(name)
        refusal = None if note is None else note(head, value)
        if refusal is not None:
            return refusal
    if b"host" not in seen and head.version == (1, 1):
        return BadHead(400, "no host header")
    if head.chunked and b"content-length" in seen:
        return BadHead(400, "content-length beside transfer-encoding")
    return None


def _note_length(head: RequestHead, value: bytes) -> None:
    head.length = int(value)  # llhttp has seen to it that these are digits, and not too many


def _note_coding(head: RequestHead, value: bytes) -> BadHead | None:
    if value.lower() != b"chunked" or head.version == (1, 0):
        return BadHead(400, "a transfer-encoding that is not taken here")
    head.chunked = True
    return None


def _note_connection(head: RequestHead, value: bytes) -> None:
    options = {option.strip() for option in value.lower().split(b",")}
    head.keep_alive = b"close" not in options and (head.keep_alive or b"keep-alive" in options)


def _note_expectation(head: RequestHead, value: bytes) -> BadHead | None:
    if value.lower() != b"100-continue":
        return BadHead(417, "an expectation that cannot be met")
    head.expects_continue = head.version == (1, 1)
    return None


_NOTES: dict[bytes, Callable[[RequestHead, bytes], BadHead | None]] = {
    b"content-length": _note_length,
    b"transfer-encoding": _note_coding,
    b"connection": _note_connection,
    b"expect": _note_expectation,
}


def _note_target(head: RequestHead) -> BadHead | None:
    """Set the path. The absolute form (sent to proxies) is brought to the usual one (RFC 9112, 3.2.2)."""
    target = head.target
    if target[:7].lower() == b"http://" or target[:8].lower() == b"https://":
        authority, slash, rest = target.partition(b"://")[2].partition(b"/")
        if b"@" in authority or b"?" in authority or not authority:
            return BadHead(400, "a target that cannot be read")
        target = slash + rest if slash else b"/"
        head.headers = [(name, authority if name == b"host" else value) for name, value in head.headers]
    target = target.partition(b"#")[0]
    if not target.startswith(b"/") and not (target == b"*" and head.method == b"OPTIONS"):
        return BadHead(400, "a target that cannot be read")
    head.target = target
    head.path = target.partition(b"?")[0].decode("latin-1")
    return None
