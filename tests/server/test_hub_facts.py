"""Facts of hubs' models are kept: when they are asked for again, and what answers while a hub is silent."""

from dataclasses import dataclass, field

import pytest
from tests.server.fixtures import Clock

from aimindserve.domain.facts import FileRole, HubOrigin, ModelFacts, ModelFile, ModelFormat
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.source import parse_source
from aimindserve.server.context import ServerContext
from aimindserve.server.hub_facts import ASK_AGAIN_SECONDS, known_facts

FIRST, SECOND = "1" * 40, "2" * 40
SILENT = reason(ReasonCode.HUB_UNREACHABLE, hub="hub", detail="no route")
GONE = reason(ReasonCode.REPOSITORY_NOT_FOUND, repository="some/model")


def facts_at(revision: str) -> ModelFacts:
    return ModelFacts(
        format=ModelFormat.GGUF,
        architecture="llama",
        name="model",
        files=(ModelFile(path="model.gguf", role=FileRole.WEIGHTS, size=7),),
        origin=HubOrigin(hub="hf", repository="some/model", revision=revision),
    )


@dataclass
class Hub:
    """A hub whose branch stands at ``answer``; counts how often it is asked."""

    context: ServerContext
    answer: ModelFacts | Reason
    asked: int = 0
    projectors: list[str | None] = field(default_factory=list)

    async def facts(self, text: str, projector: str | None = None) -> ModelFacts | Reason:
        async def ask() -> ModelFacts | Reason:
            self.asked += 1
            return self.answer

        return await known_facts(self.context, parse_source(text), projector, ask)


@pytest.fixture
def hub(context: ServerContext) -> Hub:
    return Hub(context, facts_at(FIRST))


async def test_a_commit_is_asked_for_once(hub: Hub, clock: Clock) -> None:
    first = await hub.facts(f"hf://some/model@{FIRST}")
    clock.advance(1e9)
    hub.answer = GONE
    assert await hub.facts(f"hf://some/model@{FIRST}") == first == facts_at(FIRST)
    assert hub.asked == 1


async def test_a_branch_is_asked_again_after_a_while(hub: Hub, clock: Clock) -> None:
    await hub.facts("hf://some/model")
    clock.advance(ASK_AGAIN_SECONDS - 1)
    hub.answer = facts_at(SECOND)
    assert await hub.facts("hf://some/model") == facts_at(FIRST)
    clock.advance(2)
    assert await hub.facts("hf://some/model") == facts_at(SECOND)
    assert hub.asked == 2
    # What the branch led to before stays known as a commit.
    assert await hub.facts(f"hf://some/model@{FIRST}") == facts_at(FIRST)
    assert hub.asked == 2


@pytest.mark.parametrize("code", ["hub_unreachable", "hub_offline", "hub_rate_limited"])
async def test_while_the_hub_is_silent_the_newest_facts_answer(hub: Hub, clock: Clock, code: str) -> None:
    await hub.facts("hf://some/model")
    clock.advance(ASK_AGAIN_SECONDS + 1)
    hub.answer = facts_at(SECOND)
    await hub.facts("hf://some/model")
    clock.advance(ASK_AGAIN_SECONDS + 1)
    hub.answer = Reason(code=ReasonCode(code))
    assert await hub.facts("hf://some/model") == facts_at(SECOND)


async def test_an_answer_that_is_no_is_believed(hub: Hub, clock: Clock) -> None:
    await hub.facts("hf://some/model")
    clock.advance(ASK_AGAIN_SECONDS + 1)
    hub.answer = GONE
    assert await hub.facts("hf://some/model") == GONE


async def test_silence_about_something_unknown_is_told(hub: Hub) -> None:
    await hub.facts("hf://some/model")
    hub.answer = SILENT
    for text in ("hf://some/model@dev", f"hf://some/model@{SECOND}", "hf://some/model:Q8_0", "ms://some/model"):
        assert await hub.facts(text) == SILENT, text
    assert await hub.facts("hf://some/model", projector="none") == SILENT


async def test_a_very_long_source_works_without_being_kept(hub: Hub) -> None:
    long = f"hf://some/model/{'x' * 800}.gguf"
    assert await hub.facts(long) == await hub.facts(long) == facts_at(FIRST)
    assert hub.asked == 2
