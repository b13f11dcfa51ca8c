"""The first requests to a fresh engine: it is ready once it answers them.

They go to the engine itself and not through the gateway, so nobody's usage counts them."""

import asyncio
import json

from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.sight import Sight, SightCheck, judge, sight_of
from aimindserve.domain.sight_pictures import Trial, trials
from aimindserve.domain.tryout import AGENT, Question, complaint, first_questions, picture_question, said
from aimindserve.node.config import NodeConfig
from aimindserve.node.ledger import LaunchPlan
from aimindserve.node.probes import Answer, exchange

_PAUSE_SECONDS = 0.5


class Tryout:
    """Asks one engine."""

    def __init__(self, plan: LaunchPlan, key: str, config: NodeConfig) -> None:
        self._plan = plan
        self._key = key
        self._config = config

    async def answers(self) -> Reason | None:
        """Why it does not answer the smallest request; None when it does."""
        detail = ""
        for question in first_questions(self._plan.alias, self._plan.capabilities):
            answer = await self._ask(question)
            if answer is not None and answer[0] == 200:
                return None
            detail = self._told(answer)
        return reason(ReasonCode.FIRST_ANSWER_MISSING, detail=detail)

    @property
    def sees(self) -> bool:
        """Whether it should see pictures."""
        return "vision" in self._plan.capabilities

    async def sight(self) -> Sight | Reason:
        """What it says of drawn pictures, or why it says nothing. The first must be answered; the others are asked as
        long as that is quick."""
        loop = asyncio.get_running_loop()
        began, checks = loop.time(), list[SightCheck]()
        for trial in trials(self._plan.attempt):
            if checks and loop.time() - began > self._config.sight_budget:
                break
            found = await self._look(trial)
            if isinstance(found, SightCheck):
                checks.append(found)
            elif not checks:
                return found
        return sight_of(checks)

    async def _look(self, trial: Trial) -> SightCheck | Reason:
        answer = await self._ask(picture_question(self._plan.alias, trial))
        told = said(answer[1]) if answer is not None and answer[0] == 200 else None
        if told is not None:
            return judge(trial, told)
        refused = answer is not None and 400 <= answer[0] < 500
        code = ReasonCode.PICTURE_REFUSED if refused else ReasonCode.PICTURE_NOT_ANSWERED
        return reason(code, detail=self._told(answer))

    async def _ask(self, question: Question) -> Answer | None:
        """The engine's answer. Where there is none, or it fails, it is asked again for a while: an engine that dies of
        a request needs a moment to end, and its log then tells more."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            answer = await self._send(question)
            if answer is not None and answer[0] < 500:
                return answer
            if loop.time() - began > self._config.answer_patience:
                return answer
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _send(self, question: Question) -> Answer | None:
        plan, body = self._plan, json.dumps(question.body).encode()
        more = {"user-agent": AGENT, "content-type": "application/json"}
        limit = self._config.answer_timeout
        return await exchange(plan.host, plan.port, question.path, self._key, limit, body=body, headers=more)

    def _told(self, answer: Answer | None) -> str:
        if answer is None:
            return f"no answer within {self._config.answer_timeout:g} s"
        return complaint(*answer)
