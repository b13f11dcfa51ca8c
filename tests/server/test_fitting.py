"""The machines as the fit preview sees them: who could make room, and when each was last asked something."""

from tests.server.fixtures import Clock

from aimindserve.domain.facts import FileRole, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.replicas import Assignment, Claim
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import DeploymentRow, NodeRow, ReplicaRow, UsageRow
from aimindserve.server.fitting import stage_now

FACTS = ModelFacts(
    format=ModelFormat.GGUF,
    architecture="llama",
    name="m",
    files=(ModelFile(path="/m.gguf", role=FileRole.WEIGHTS, size=1),),
)


def usage(number: int, deployment: str, model: str, at: float) -> UsageRow:
    return UsageRow(
        request_id=str(number), started_at=at, endpoint="/v1/chat/completions", model=model, deployment_id=deployment,
        replica_id="r", user_id="u", key_id=None, status=200, prompt_tokens=1, completion_tokens=1, duration_ms=1.0,
        ttft_ms=None, counted_by="engine",
    )  # fmt: skip


async def test_tenants_are_looked_for_only_where_they_count(context: ServerContext, clock: Clock) -> None:
    async with context.database.unit_of_work(quiet=True) as work:
        work.session.add(NodeRow(id="n", hostname="box", address="127.0.0.1", created_at=work.now))
        await work.session.flush()
        for name in ("busy", "idle"):
            spec = DeploymentSpec(name=name, source="/m.gguf")
            row = DeploymentRow(
                id=f"d-{name}", name=name, spec=spec, wanted="running", generation=1, revision=1, facts=FACTS,
                created_at=clock(), updated_at=clock(),
            )  # fmt: skip
            work.session.add(row)
            await work.session.flush()
            assignment = Assignment(node_id="n", claims=(Claim(device_id="cpu", bytes=7),), engine="llama.cpp")
            replica = ReplicaRow(
                id=f"r-{name}", deployment_id=row.id, generation=1, index=0, spec=spec, facts=FACTS, node_id="n",
                assignment=assignment, created_at=clock(),
            )  # fmt: skip
            work.session.add(replica)
        # Somebody else's row under the same name is not this deployment's.
        rows = [usage(1, "d-busy", "busy", 10.0), usage(2, "d-busy", "busy", 30.0), usage(3, "d-old", "busy", 99.0)]
        work.session.add_all(rows)
    assert (await stage_now(context)).tenants == ()
    tenants = (await stage_now(context, with_tenants=True)).tenants
    assert {(one.name, one.claimed, one.used_at) for one in tenants} == {("busy", 7, 30.0), ("idle", 7, None)}
    # What a new spec would replace makes no room for it.
    assert [one.name for one in (await stage_now(context, "idle", with_tenants=True)).tenants] == ["busy"]
