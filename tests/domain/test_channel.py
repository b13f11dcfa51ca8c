"""Messages between server and gateways: every one survives the wire."""

import msgspec
import pytest

from aimindserve.domain.channel import Elsewhere, Hello, Loads, Table, TableAck, ToGateway, ToServer, Usage, UsageAck
from aimindserve.domain.routing import Endpoint, KeyGrant, Route, RouteState, RoutingTable, SessionGrant
from aimindserve.domain.usage import UsageRecord

TABLE = RoutingTable(
    version=3,
    routes=(Route("模型", "d", RouteState.READY, (Endpoint("r", "127.0.0.1", 1, "secret"),), ("chat", "vision")),),
    keys=(KeyGrant("k", "digest", "u", ("inference",), ("m",), 5.5),),
    sessions=(SessionGrant("digest", "u", 9.0),),
)
RECORD = UsageRecord("id", 1.0, "/v1/completions", "m", "d", "r", "u", None, 200, 3, 4, 5.0, None, "engine")


@pytest.mark.parametrize(
    "message", [Hello("g", 1, 0), TableAck(3), Usage(1, (RECORD,)), Loads({"r": 1}, {"m": 2.0})], ids=type
)
def test_to_the_server(message: ToServer) -> None:
    line = msgspec.json.encode(message)
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=type(message)) == message
    assert msgspec.json.decode(line)["type"] == message.type


@pytest.mark.parametrize("message", [Table(TABLE), UsageAck(1), Elsewhere({"r": 2})], ids=type)
def test_to_a_gateway(message: ToGateway) -> None:
    line = msgspec.json.encode(message)
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=type(message)) == message


def test_types_tell_the_messages_apart() -> None:
    kinds = (Hello, TableAck, Usage, Loads, Table, UsageAck, Elsewhere)
    assert len({kind.__dataclass_fields__["type"].default for kind in kinds}) == len(kinds)
