"""Heads of requests: llhttp reads them, this module checks what a proxy must be sure of before it passes one on.

Only heads go through llhttp, one fresh parser each, so that nothing of a body is ever taken for a head.
"""

import re
from dataclasses import dataclass

import httptools

from aimindserve.gateway.fields import known, read_field

# What may stand in a head, besides line ends: tab, visible ASCII, and bytes of other encodings.
_ALLOWED = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
# A head that was found right has one such line at most, so this finds the one that counts.
_LENGTH = re.compile(rb"\r\n[Cc]ontent-[Ll]ength: ([0-9]{1,12})\r\n")
_VERSIONS = {b"HTTP/1.1": (1, 1), b"HTTP/1.0": (1, 0)}
# A header that decides about framing, identity or routing means nothing good when it comes twice.
_ONCE = frozenset(
    {b"host", b"content-length", b"transfer-encoding", b"authorization", b"x-api-key", b"content-type", b"expect"}
)


@dataclass(frozen=True, slots=True)
class BadHead:
    """A head that is refused; the connection is closed after the answer."""

    status: int
    why: str


class RequestHead:
    """One request's head. Header names are in lower case; ``target`` is the path with its query."""

    __slots__ = (
        "_by_name", "chunked", "expects_continue", "headers", "keep_alive", "length", "method", "path", "target",
        "version",
    )  # fmt: skip

    def __init__(self) -> None:
        self.method = b""
        self.target = b""
        self.path = ""
        self.version: tuple[int, int] = (1, 1)
        self.headers: list[tuple[bytes, bytes]] = []
        self._by_name: dict[bytes, bytes] = {}
        self.length = 0
        self.chunked = False
        self.keep_alive = True
        self.expects_continue = False

    def get(self, name: bytes) -> bytes | None:
        """The value of a header, the last one of several, by its name in lower case."""
        return self._by_name.get(name)

    def index(self) -> dict[bytes, bytes]:
        """Make ``get`` work: all headers are there."""
        self._by_name = dict(self.headers)
        return self._by_name


class _Judge:
    """What llhttp calls back: nothing. It only says whether a head is right; reading it is a matter of two splits."""


_JUDGE = _Judge()


def parse_head(block: bytes, max_headers: int) -> RequestHead | BadHead:
    """The head in ``block``, which ends with the first empty line (CRLF CRLF)."""
    lines = block.count(b"\r\n")
    if block.translate(None, _ALLOWED) != b"\r\n" * lines:
        return BadHead(400, "the head has control characters or a line that does not end with CRLF")
    if lines - 2 > max_headers:
        return BadHead(431, f"more than {max_headers} headers")
    try:
        httptools.HttpRequestParser(_JUDGE).feed_data(block)
    except httptools.HttpParserUpgrade:
        pass  # nothing here changes its protocol: the request is answered as if it had not asked (RFC 9110, 7.8)
    except httptools.HttpParserError as error:
        return BadHead(400, _reason(error))
    return _read(block.split(b"\r\n"))


def _read(lines: list[bytes]) -> RequestHead | BadHead:
    """The head in lines that were found right. They end with two empty ones."""
    head = RequestHead()
    start = lines[0].split()
    version = _VERSIONS.get(start[2]) if len(start) == 3 else None
    if version is None:
        return BadHead(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    head.method, head.target, _ = start
    head.version, head.keep_alive = version, version == (1, 1)
    find = known.get
    head.headers = [find(line) or read_field(line) for line in lines[1:-2]]
    return _note_headers(head) or _note_target(head) or head


class HeadReader:
    """Reads the heads of one connection. A client that goes on with requests sends nearly the same head each time:
    when only the digits of its length differ from the last one, that one, found right then, serves again."""

    __slots__ = ("_after", "_at", "_before", "_last", "_max_headers")

    def __init__(self, max_headers: int) -> None:
        self._max_headers = max_headers
        self._last: RequestHead | None = None
        self._at = 0
        self._before = self._after = b""

    def read(self, block: bytes) -> RequestHead | BadHead:
        """See ``parse_head``. The object may be that of the last request, which is over."""
        place = _LENGTH.search(block)
        if place is None:
            return parse_head(block, self._max_headers)
        start, end = place.span(1)
        last = self._last
        if last is not None and start == self._at and block.startswith(self._before) and block[end:] == self._after:
            last.length = int(place[1])
            return last
        head = parse_head(block, self._max_headers)
        if isinstance(head, RequestHead) and not head.chunked:
            self._last, self._at, self._before, self._after = head, start, block[:start], block[end:]
        return head


def _reason(error: httptools.HttpParserError) -> str:
    text = str(error)
    return text[:1].lower() + text[1:] if text and len(text) < 80 else "the head cannot be read"


def _note_headers(head: RequestHead) -> BadHead | None:
    """Set what follows from single headers; a refusal when they contradict each other."""
    fields = head.index()
    if len(fields) != len(head.headers):
        refusal = _note_repeated(head)
        if refusal is not None:
            return refusal
    is_new = head.version == (1, 1)
    if is_new and b"host" not in fields:
        return BadHead(400, "no host header")
    length, coding = fields.get(b"content-length"), fields.get(b"transfer-encoding")
    if coding is not None:
        if coding.lower() != b"chunked" or length is not None or not is_new:
            return BadHead(400, "a transfer-encoding that is not taken here")
        head.chunked = True
    elif length is not None:
        head.length = int(length)  # llhttp has seen to it that these are digits, and not too many
    connection = fields.get(b"connection")
    if connection is not None:
        options = {option.strip() for option in connection.lower().split(b",")}
        head.keep_alive = b"close" not in options and (head.keep_alive or b"keep-alive" in options)
    expectation = fields.get(b"expect")
    if expectation is not None:
        if expectation.lower() != b"100-continue":
            return BadHead(417, "an expectation that cannot be met")
        head.expects_continue = is_new
    return None


def _note_repeated(head: RequestHead) -> BadHead | None:
    """Refuse what may come only once; put the lists of several Connection headers together (RFC 9110, 5.3)."""
    seen: set[bytes] = set()
    for name, _ in head.headers:
        if name in seen and name in _ONCE:
            return BadHead(400, f"two {name.decode()} headers")
        seen.add(name)
    connections = [value for name, value in head.headers if name == b"connection"]
    if len(connections) > 1:
        head.index()[b"connection"] = b",".join(connections)
    return None


def _note_target(head: RequestHead) -> BadHead | None:
    """Set the path. The absolute form (sent to proxies) is brought to the usual one (RFC 9112, 3.2.2)."""
    target = head.target
    if target[:1] != b"/" and target[:7].lower() in (b"http://", b"https:/"):
        authority, slash, rest = target.partition(b"://")[2].partition(b"/")
        if b"@" in authority or b"?" in authority or not authority:
            return BadHead(400, "a target that cannot be read")
        target = slash + rest if slash else b"/"
        head.headers = [(name, authority if name == b"host" else value) for name, value in head.headers]
        head.index()
    target = target.partition(b"#")[0]
    if not target.startswith(b"/") and not (target == b"*" and head.method == b"OPTIONS"):
        return BadHead(400, "a target that cannot be read")
    head.target = target
    head.path = target.partition(b"?")[0].decode("latin-1")
    return None
