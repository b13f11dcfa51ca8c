"""The messages of ``domain.channel`` as lines of JSON."""

import msgspec

from aimindserve.domain.channel import Hello, Loads, TableAck, ToGateway, ToServer, Usage, Used

_SHAPES: dict[str, type[ToServer]] = {
    "hello": Hello,
    "table_ack": TableAck,
    "usage": Usage,
    "loads": Loads,
    "used": Used,
}


class _Kind(msgspec.Struct):
    type: str


class MessageError(ValueError):
    """A line is no message that a gateway sends."""


def encode(message: ToGateway) -> bytes:
    """One line, ``type`` first."""
    fields = msgspec.to_builtins(message)
    return msgspec.json.encode({"type": fields.pop("type"), **fields}) + b"\n"


def decode(line: bytes) -> ToServer:
    """The message in one line.

    Raises:
        MessageError: it is not JSON, or not one of the messages.
    """
    try:
        shape = _SHAPES[msgspec.json.decode(line, type=_Kind).type]
        return msgspec.json.decode(line, type=shape)
    except (msgspec.MsgspecError, KeyError) as error:
        raise MessageError(str(error)) from error
