"""Header lines, read once: the same few come with nearly every request and answer.

Lines that may hold a secret are never kept, nor long ones, nor those that differ each time.
"""

_KEPT = 1024
_LONGEST = 160
_NOT_KEPT = frozenset(
    {
        b"authorization",
        b"proxy-authorization",
        b"x-api-key",
        b"cookie",
        b"set-cookie",
        b"content-length",
        b"x-request-id",
    }
)

known: dict[bytes, tuple[bytes, bytes]] = {}
"""(name in lower case, value) by line. Ask it first, then ``read_field``."""


def read_field(line: bytes) -> tuple[bytes, bytes]:
    """(name in lower case, value) of a header line without its CRLF."""
    name, _, value = line.partition(b":")
    pair = (name.lower(), value.strip(b" \t"))
    if len(line) <= _LONGEST and pair[0] not in _NOT_KEPT:
        if len(known) >= _KEPT:
            known.clear()
        known[line] = pair
    return pair
