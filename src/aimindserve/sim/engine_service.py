"""The emulated engine's endpoints: who may ask, what is answered, and what goes wrong on the way."""

import asyncio
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aimindserve.domain.tryout import AGENT
from aimindserve.sim import engine_logs
from aimindserve.sim.engine_answers import (
    CREATED,
    Asked,
    Chunks,
    answer_tokens,
    count_tokens,
    read_request,
    whole_answer,
)
from aimindserve.sim.engine_faults import die, freeze
from aimindserve.sim.engine_http import Answer, BadRequestError, Request
from aimindserve.sim.engine_http import read_request as read_http
from aimindserve.sim.engine_knobs import KnobError, Knobs, request_knobs
from aimindserve.sim.engine_ledger import Ledger
from aimindserve.sim.engine_options import LLAMA_BOX, VLLM, Options
from aimindserve.sim.engine_shapes import (
    MESSAGES,
    RESPONSES,
    MessageEvents,
    ResponseEvents,
    in_chat_form,
    token_ids,
    transcript,
    whole_message,
    whole_response,
)
from aimindserve.sim.engine_sight import shown_trial, told_of

_PUBLIC = {"/health", "/v1/health", "/fake/state", "/version", "/metrics"}
_MAIN = {"/chat/completions", "/completions", "/responses", "/messages", "/audio/transcriptions"}
_LLAMA_PUBLIC = _PUBLIC | {"/v1/models", "/models"}


@dataclass(slots=True)
class State:
    """What the engine has seen; ``GET /fake/state`` answers it."""

    ready: bool = False
    connections: int = 0
    requests: int = 0
    finished: int = 0
    aborted: int = 0
    in_flight: int = 0
    tokens: int = 0
    children: list[int] = field(default_factory=list)


class Service:
    """One engine. ``fixed``: the knobs of every request."""

    def __init__(self, options: Options, fixed: Knobs) -> None:
        self.options, self.fixed, self.state = options, fixed, State()
        self.ledger = Ledger(options.knobs.fake_ledger)
        self._get: dict[str, Callable[[], tuple[int, object]]] = {
            "/health": self._health,
            "/v1/health": self._health,
            "/v1/models": self._models,
            "/models": self._models,
            "/version": lambda: (200, {"version": "0.32.0"}),
            "/props": lambda: (200, {"total_slots": 1, "model_path": options.model, "modalities": {"vision": True}}),
            "/fake/state": self._state,
        }
        self._small: dict[str, Callable[[dict[str, Any]], object]] = {
            "/embeddings": self._vectors,
            "/rerank": self._ranking,
            "/tokenize": self._tokens,
            "/messages/count_tokens": self._count,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        self.state.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except ConnectionError:
            pass
        finally:
            self.state.connections -= 1
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            request = await read_http(reader, writer)
        except BadRequestError as error:
            writer.write(f"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n{error}".encode())
            return False
        if request is None:
            return False
        body = _parsed(request.body)
        if request.headers.get("user-agent") == AGENT:
            return await self._try_out(request, body, writer)
        prompt = request.body.decode("utf-8", "replace") if b"[[fake " in request.body else ""
        try:
            knobs = request_knobs(self.fixed, request.headers, body, prompt)
        except KnobError as error:
            await Answer(writer, request).json(_error(400, str(error), "invalid_request_error"), 400)
            return request.keep_alive
        answer = Answer(writer, request, framing=knobs.framing, connection=knobs.connection, dribble=knobs.dribble)
        await self._dispatch(request, body, knobs, answer, reader)
        return not answer.closes

    async def _try_out(self, request: Request, body: object, writer: asyncio.StreamWriter) -> bool:
        """A request of a start. Whether the connection goes on."""
        answer, how = Answer(writer, request), self.options.knobs.fake_sight
        trial = shown_trial(request.body)
        if trial is not None and how == "silent":
            return False
        if not self._allowed(request):
            await answer.json(_error(401, "Invalid API Key", "authentication_error"), 401)
        elif not isinstance(body, dict) or (trial is not None and how == "refused"):
            await answer.json(_error(400, "image input is not supported", "invalid_request_error"), 400)
        else:
            text = "" if trial is None else told_of(trial, right=how == "passes")
            asked = read_request(body, chat=True)
            await answer.json(whole_answer(asked, self.options.names[0], _identity(0), Knobs(text=text)))
        return not answer.closes

    async def _dispatch(
        self, request: Request, body: object, knobs: Knobs, answer: Answer, reader: asyncio.StreamReader
    ) -> None:
        if knobs.interim:
            await answer.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n")
        if knobs.garbage:
            answer.closes = True
            await answer.raw(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        elif not self._allowed(request):
            refused = {"error": "Unauthorized"} if self.options.flavour == VLLM else None
            await answer.json(refused or _error(401, "Invalid API Key", "authentication_error"), 401)
        elif knobs.echo or request.path == "/fake/echo":
            await answer.json(_echo(request), knobs.status)
        elif request.method in {"GET", "HEAD"} and request.path in self._get:
            status, content = self._get[request.path]()
            await answer.json(content, status)
        elif request.path == "/metrics":
            await answer.whole(self._metrics().encode(), "text/plain; version=0.0.4")
        else:
            await self._infer(request, body, knobs, answer, reader)

    def _allowed(self, request: Request) -> bool:
        public = _PUBLIC if self.options.flavour == VLLM else _LLAMA_PUBLIC
        if not self.options.keys or request.path in public:
            return True
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return given in self.options.keys or request.headers.get("x-api-key") in self.options.keys

    async def _infer(
        self, request: Request, body: object, knobs: Knobs, answer: Answer, reader: asyncio.StreamReader
    ) -> None:
        path = request.path.removeprefix("/v1")
        if request.method != "POST" or not self._has(request.path):
            await answer.json(_error(404, "File Not Found", "not_found_error"), 404)
        elif not self.state.ready:
            await answer.json(_error(503, "Loading model", "unavailable_error"), 503)
        elif knobs.status != 200:
            await answer.json(
                _error(knobs.status, "The emulated engine was told to refuse.", "server_error"), knobs.status
            )
        elif path.startswith("/audio/"):
            heard = transcript(request.body, request.headers, translated=path.endswith("translations"))
            await answer.json(heard or _error(400, "no file", "invalid_request_error"), 200 if heard else 400)
        elif not isinstance(body, dict):
            await answer.json(_error(400, "parse error at line 1, column 1", "invalid_request_error"), 400)
        elif path in self._small:
            await answer.json(self._small[path](body))
        elif path in {"/responses", "/messages"}:
            shape = path[1:]
            await self._complete(read_request(in_chat_form(body, shape), chat=True, shape=shape), knobs, answer, reader)
        else:
            await self._complete(read_request(body, chat=path.startswith("/chat")), knobs, answer, reader)

    def _has(self, path: str) -> bool:
        if path in {"/tokenize", "/v1/audio/translations"}:
            return path == "/tokenize" or self.options.flavour == VLLM
        if path == "/v1/tokenize":
            return False
        return path.removeprefix("/v1") in _MAIN or path.removeprefix("/v1") in self._small

    async def _complete(self, asked: Asked, knobs: Knobs, answer: Answer, reader: asyncio.StreamReader) -> None:
        self.state.requests += 1
        self.state.in_flight += 1
        number, done = self.state.requests, False
        try:
            await asyncio.sleep(knobs.first_token_delay_ms / 1000)
            if asked.stream:
                done = await self._stream(asked, knobs, answer, reader, number)
            else:
                done = await self._whole(asked, knobs, answer, reader, number)
        finally:
            self.state.in_flight -= 1
            self.state.finished += done
            self.state.aborted += not done
            answer.closes = answer.closes or not done

    async def _stream(
        self, asked: Asked, knobs: Knobs, answer: Answer, reader: asyncio.StreamReader, number: int
    ) -> bool:
        """Whether the answer went out whole."""
        events = {RESPONSES: ResponseEvents, MESSAGES: MessageEvents}.get(asked.shape, Chunks)
        chunks = events(asked, self.options.names[0], _identity(number), knobs)
        await answer.start(200, "text/event-stream", None)
        await answer.write(chunks.first())
        count = 0
        for token in answer_tokens(asked, knobs):
            if not await self._reached(count, knobs, reader):
                return False
            if count == knobs.error_at_token:
                failed = json.dumps(_error(500, "The emulated engine failed.", "server_error"))
                await answer.write(f"data: {failed}\n\n".encode())
                return False
            self.ledger.note(answer.request_id, completion=1)
            await answer.write(chunks.token(token))
            count += 1
            self.state.tokens += 1
        if not await self._reached(count, knobs, reader):
            return False
        self.ledger.note(answer.request_id, prompt=asked.prompt_tokens)
        await answer.write(chunks.last(count))
        await answer.end()
        engine_logs.write(engine_logs.request_lines(self.options, number, asked.prompt_tokens, count))
        return True

    async def _whole(
        self, asked: Asked, knobs: Knobs, answer: Answer, reader: asyncio.StreamReader, number: int
    ) -> bool:
        count = 0
        for _token in answer_tokens(asked, knobs):
            if not await self._reached(count, knobs, reader):
                return False
            count += 1
            self.state.tokens += 1
        if not await self._reached(count, knobs, reader):
            return False
        self.ledger.note(answer.request_id, prompt=asked.prompt_tokens, completion=count)
        whole = {RESPONSES: whole_response, MESSAGES: whole_message}.get(asked.shape, whole_answer)
        await answer.json(whole(asked, self.options.names[0], _identity(number), knobs))
        engine_logs.write(engine_logs.request_lines(self.options, number, asked.prompt_tokens, count))
        return True

    async def _reached(self, count: int, knobs: Knobs, reader: asyncio.StreamReader) -> bool:
        """Before token ``count`` (from 0): the faults ordered for it. False: the answer ends here."""
        if count == knobs.oom_at_token:
            engine_logs.write(engine_logs.failure_lines(self.options, "oom"))
            die("0" if self.options.flavour == VLLM else "abort")
        if count == knobs.crash_at_token:
            die(knobs.exit)
        if count == knobs.freeze_at_token:
            freeze()
        if count == knobs.close_at_token:
            return False
        while count == knobs.hang_at_token and not reader.at_eof():  # noqa: ASYNC110 - a reader has no event for its end
            await asyncio.sleep(0.02)
        if knobs.token_delay_ms:
            await asyncio.sleep(knobs.token_delay_ms / 1000)
        return not reader.at_eof()

    def _health(self) -> tuple[int, object]:
        lied = self.options.knobs.fake_health_status
        if lied is not None:
            return lied, {"status": "told to say so"}
        if self.state.ready:
            return 200, {"status": "ok"}
        if self.options.flavour == LLAMA_BOX:
            return 404, _error(404, "Not Found", "not_found_error")
        return 503, _error(503, "Loading model", "unavailable_error")

    def _models(self) -> tuple[int, object]:
        if not self.state.ready:
            return 503, _error(503, "Loading model", "unavailable_error")
        owner = "vllm" if self.options.flavour == VLLM else "llamacpp"
        meta = {"n_ctx": self.options.context}
        listed = [
            {"id": n, "object": "model", "created": CREATED, "owned_by": owner, "meta": meta}
            for n in self.options.names
        ]
        return 200, {"object": "list", "data": listed}

    def _state(self) -> tuple[int, object]:
        known = {name: getattr(self.state, name) for name in State.__dataclass_fields__}
        return 200, {"pid": os.getpid(), **known}

    def _metrics(self) -> str:
        prefix = "vllm:num_requests_running" if self.options.flavour == VLLM else "llamacpp:requests_processing"
        return f"# TYPE {prefix} gauge\n{prefix} {self.state.in_flight}\n"

    def _vectors(self, body: dict[str, Any]) -> object:
        given = body.get("input")
        texts = [given] if isinstance(given, str) else [str(one) for one in given or ()]
        data = [{"object": "embedding", "index": at, "embedding": _vector(text)} for at, text in enumerate(texts)]
        counted = sum(map(count_tokens, texts))
        usage = {"prompt_tokens": counted, "total_tokens": counted}
        return {"object": "list", "model": self.options.names[0], "data": data, "usage": usage}

    def _tokens(self, body: dict[str, Any]) -> object:
        is_vllm = self.options.flavour == VLLM
        return token_ids(str(body.get("prompt" if is_vllm else "content") or ""), self.options.context, vllm=is_vllm)

    def _count(self, body: dict[str, Any]) -> object:
        return {"input_tokens": read_request(in_chat_form(body, MESSAGES), chat=True).prompt_tokens}

    def _ranking(self, body: dict[str, Any]) -> object:
        query = set(str(body.get("query")).split())
        texts = [str(one) for one in body.get("documents") or ()]
        scores = [len(query & set(text.split())) / max(1, len(query)) for text in texts]
        results = [
            {"index": at, "relevance_score": scores[at]} for at in sorted(range(len(texts)), key=lambda i: -scores[i])
        ]
        counted = sum(map(count_tokens, texts))
        return {"object": "list", "results": results, "usage": {"prompt_tokens": counted, "total_tokens": counted}}


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _identity(number: int) -> str:
    return f"chatcmpl-fake-{os.getpid()}-{number}"


def _error(code: int, message: str, kind: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "type": kind}}


def _vector(text: str) -> list[float]:
    return [byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:8]]


def _echo(request: Request) -> dict[str, Any]:
    """The request as it arrived: for tests that compare what passes through."""
    lines = request.raw_head.decode("latin-1").split("\r\n")[1:-2]
    return {
        "method": request.method,
        "target": request.target,
        "version": request.version,
        "headers": [line.partition(":")[::2] for line in lines],
        "length": len(request.body),
        "sha256": hashlib.sha256(request.body).hexdigest(),
        "body": request.body[: 1 << 20].decode("latin-1"),
    }
