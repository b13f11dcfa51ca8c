"""W3C trace context: what a caller says about its trace goes on to the engine, if it is well formed.

https://www.w3.org/TR/trace-context/ : a ``traceparent`` that cannot be read is dropped, and ``tracestate`` with it.
"""

import re

from aimindserve.gateway.heads import RequestHead

_PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]{1,256})?")
_STATE_BYTES = 512  # as much as everybody must pass on


def trace_lines(head: RequestHead) -> bytes:
    """The header lines for the engine; nothing when the caller traces nothing."""
    parent = head.get(b"traceparent")
    if parent is None or not _PARENT.fullmatch(parent):
        return b""
    state = b",".join(value for name, value in head.headers if name == b"tracestate")
    lines = b"traceparent: %b\r\n" % parent
    return lines + b"tracestate: %b\r\n" % state if 0 < len(state) <= _STATE_BYTES else lines
