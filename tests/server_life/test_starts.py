"""How long starts take: kept once each, told for the next, and told live."""

import json

import httpx
from sqlalchemy import select
from tests.server_life.life import ON_SQLITE, Life, only

from aimindserve.domain.measured import DeviceReading, Measurement
from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.replicas import ReplicaState
from aimindserve.domain.sight import Sight, SightCheck, SightKind, SightOutcome
from aimindserve.domain.startup import Doing, Mark
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import StartRow
from aimindserve.server.features.events.service import View, follow
from aimindserve.sim.fake_node import FakeNode

pytestmark = ON_SQLITE
STAGES = (("accepted", 0.0), ("files", 1.0), ("weights", 21.0), ("ready", 25.0))


async def became_ready(life: Life, node: FakeNode, attempt: int = 1) -> str:
    """The replica's start is over: 1 s, 20 s and 4 s."""
    replica_id, now = only(node), life.clock.now
    marks = tuple(Mark(stage=stage, at=now + at) for stage, at in STAGES)
    took = Measurement(
        attempt=attempt,
        at=now,
        engine="llama.cpp",
        version="b1",
        on_gpu=False,
        items=(DeviceReading(device_id=CPU_DEVICE_ID, item="weights", bytes=1),),
    )
    ready = {"state": ReplicaState.READY, "ready_since": now, "doing": None}
    node.observe(replica_id, timeline=marks, measured=took, attempt=attempt, **ready)
    await life.settle()
    return replica_id


async def kept(life: Life) -> list[StartRow]:
    async with life.context.database.read() as session:
        return list(await session.scalars(select(StartRow)))


async def test_the_next_start_is_foretold_by_the_last(life: Life, node: FakeNode, cli: httpx.AsyncClient) -> None:
    await life.add()
    await life.settle()
    replica_id = await became_ready(life, node)
    await became_ready(life, node)
    (row,) = await kept(life)
    assert [[(one.stage, one.seconds) for one in start.stages] for start in row.starts] == [
        [("files", 1.0), ("weights", 20.0), ("ready", 4.0)]
    ]
    doing = Doing(stage="weights", since=life.clock.now - 5, share=None)
    node.observe(replica_id, state=ReplicaState.STARTING, ready_since=None, doing=doing, attempt=2)
    await life.settle()
    shown = (await cli.get("/api/v1/deployments/eye")).json()["replicas"][0]["under_way"]
    assert shown == {"stage": "weights", "seconds": 5.0, "share": None, "usual_seconds": 20.0, "seconds_left": 19.0}


async def test_a_first_start_is_told_without_guesses(life: Life, node: FakeNode, cli: httpx.AsyncClient) -> None:
    node.quick = False
    await life.add()
    await life.settle()
    node.observe(only(node), doing=Doing(stage="weights", since=life.clock.now - 2, share=0.5))
    await life.settle()
    (shown,) = (await cli.get("/api/v1/deployments")).json()["items"][0]["replicas"]
    told = shown["under_way"]
    assert (told["stage"], told["seconds"], told["share"]) == ("weights", 2.0, 0.5)
    assert told["usual_seconds"] is told["seconds_left"] is None


async def test_what_the_pictures_proved_is_shown(life: Life, node: FakeNode, cli: httpx.AsyncClient) -> None:
    await life.add()
    await life.settle()
    check = SightCheck(kind=SightKind.COLOUR, shown="red", answer="a dog", right=False)
    node.observe(only(node), sight=Sight(outcome=SightOutcome.CONTENT_WRONG, checks=(check,)))
    await life.settle()
    (shown,) = (await cli.get("/api/v1/deployments/eye")).json()["replicas"]
    assert shown["sight"] == {
        "outcome": "content_wrong",
        "checks": [{"kind": "colour", "shown": "red", "answer": "a dog", "right": False}],
    }
    assert shown["under_way"] is None


async def test_each_stage_is_told_live_and_makes_no_event(life: Life, node: FakeNode, context: ServerContext) -> None:
    node.quick = False
    await life.add()
    await life.settle()
    before = await life.last_event()

    async def yes() -> bool:
        return True

    stream = follow(context, before, View(everything=False), yes)
    assert (await anext(stream)).startswith(b"retry")
    node.observe(only(node), doing=Doing(stage="weights", since=0, share=0.26))
    await life.settle()
    told = await anext(stream)
    while not told.startswith(b"event: starting"):
        told = await anext(stream)
    await stream.aclose()
    assert json.loads(told.partition(b"data: ")[2]) == {"node_id": "one", "replicas": {only(node): ["weights", 0.3]}}
    assert await life.last_event() == before


async def test_a_failure_shows_its_lines_and_offers_a_change(
    life: Life, node: FakeNode, cli: httpx.AsyncClient
) -> None:
    await life.add()
    await life.settle()
    why = reason(ReasonCode.PICTURE_REFUSED, detail="400 too long")
    failed = {"state": ReplicaState.FAILED, "pid": None, "port": None, "ready_since": None}
    node.observe(only(node), reason=why, evidence=("E too long",), **failed)
    await life.settle()
    shown = (await cli.get("/api/v1/deployments/eye", headers={"accept-language": "zh"})).json()
    assert shown["replicas"][0]["evidence"] == ["E too long"]
    assert shown["offer"]["kind"] == "text_only"
    assert shown["offer"]["message"] == "仅将该模型用于文本：--no-mmproj"
    edited = await cli.patch("/api/v1/deployments/eye", json=shown["offer"]["patch"])
    assert edited.status_code in (200, 422), edited.text
