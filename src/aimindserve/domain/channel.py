"""Messages between the server and its gateways: one JSON object a line over a Unix socket, ``type`` first.

Server → gateway: ``Table``, ``UsageAck``, ``Spent``, ``Used``, ``Elsewhere``.
Gateway → server: ``Hello``, ``TableAck``, ``Usage``, ``Loads``, ``Used``.
A gateway sends ``Hello`` at once; the server answers with the whole table, and again at each change. Usage is sent
again until it is acknowledged, so a receiver counts each request id once."""

from dataclasses import dataclass, field
from typing import Literal

from aimindserve.domain.routing import RoutingTable
from aimindserve.domain.usage import UsageRecord


@dataclass(frozen=True, slots=True)
class Hello:
    """A gateway introduces itself; ``table_version`` is that of the copy that it holds (0: none)."""

    gateway_id: str
    pid: int
    table_version: int
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True)
class Table:
    """The whole routing table."""

    table: RoutingTable
    type: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class TableAck:
    """This version is in force in the gateway."""

    version: int
    type: Literal["table_ack"] = "table_ack"


@dataclass(frozen=True, slots=True)
class Usage:
    """A batch of finished requests; ``batch`` rises within one connection."""

    batch: int
    records: tuple[UsageRecord, ...]
    type: Literal["usage"] = "usage"


@dataclass(frozen=True, slots=True)
class UsageAck:
    """The batch is stored durably."""

    batch: int
    type: Literal["usage_ack"] = "usage_ack"


@dataclass(frozen=True, slots=True)
class Spent:
    """Tokens stored for ``month`` so far, by ``domain.limits.subject_of``, of those who have a limit for it: all of
    them to a gateway that has just come, then those that changed."""

    month: str
    tokens: dict[str, int]
    type: Literal["spent"] = "spent"


@dataclass(frozen=True, slots=True)
class Loads:
    """Requests in flight by replica id, and when each model was last asked for (Unix seconds). ``waiting``: requests
    that wait for a turn or for a model to start, by deployment id; ``version``: the table that was in force."""

    in_flight: dict[str, int] = field(default_factory=dict[str, int])
    last_request_at: dict[str, float] = field(default_factory=dict[str, float])
    waiting: dict[str, int] = field(default_factory=dict[str, int])
    version: int = 0
    type: Literal["loads"] = "loads"


@dataclass(frozen=True, slots=True)
class Used:
    """What limited keys and people used at one gateway since it last said so, by ``domain.limits.subject_of``:
    requests, tokens, pictures. The server passes it on to all other gateways."""

    by: dict[str, tuple[int, int, int]]
    type: Literal["used"] = "used"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Requests in flight at all other gateways together, by replica id; sent when that changes."""

    in_flight: dict[str, int]
    type: Literal["elsewhere"] = "elsewhere"


ToGateway = Table | UsageAck | Spent | Used | Elsewhere
ToServer = Hello | TableAck | Usage | Loads | Used
