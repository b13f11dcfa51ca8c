"""What one request may ask for: each limit, at it and one above, and nothing above it reaches an engine."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from tests.gateway.harness import Rig, chat, post, route
from tests.gateway.pictures import shell, uri

from aimindserve.domain.pictures import PictureError, Steps
from aimindserve.gateway.asked import BODY_LIMITS, REFUSED_FIELDS, BodyLimits, too_deep
from aimindserve.gateway.body import BodyView, look
from aimindserve.gateway.endpoints import ROWS
from aimindserve.gateway.errors import Refusal
from aimindserve.gateway.pictures import check_data_uri

MIB = 1024**2
PICTURE = uri(shell())
CHAT = "/v1/chat/completions"


def user(*content: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(content)}


PART = {"type": "image_url", "image_url": {"url": PICTURE}}


def images(count: int) -> list[dict[str, Any]]:
    """Over several messages, as a conversation has them."""
    return [user(PART) for _ in range(count)]


def of_size(size: int) -> dict[str, str]:
    """An object of exactly ``size`` bytes as JSON."""
    return {"x": "y" * (size - len('{"x":""}'))}


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = 64 * 1024
FITS, LARGE = of_size(SCHEMA), of_size(SCHEMA + 1)
CASES: list[tuple[str, Any, Any, str, str, tuple[str, str]]] = [
    ("n", 8, 9, "too_many_choices", "n", ("8", "9")),
    ("n", 8.0, 8.5, "too_many_choices", "n", ("8", "8.5")),
    ("n", -1, 2**70, "too_many_choices", "n", ("8", "10^15")),
    ("n_cmpl", 8, 9, "too_many_choices", "n_cmpl", ("8", "9")),
    ("best_of", 8, 9, "too_many_choices", "best_of", ("8", "9")),
    ("logprobs", 20, 21, "too_many_logprobs", "logprobs", ("20", "21")),
    ("logprobs", True, 1e300, "too_many_logprobs", "logprobs", ("20", "1e+300")),
    ("top_logprobs", 20, 21, "too_many_logprobs", "top_logprobs", ("20", "21")),
    ("n_probs", 20, 21, "too_many_logprobs", "n_probs", ("20", "21")),
    ("prompt_logprobs", 20, 21, "too_many_logprobs", "prompt_logprobs", ("20", "21")),
    ("stop", ["x"] * 8, ["x"] * 9, "too_many_stop_sequences", "stop", ("8", "9")),
    ("stop", ["x", "é" * 256], ["x", "é" * 257], "stop_sequence_too_long", "stop[1]", ("256", "257")),
    ("stop", "图" * 256, "图" * 257, "stop_sequence_too_long", "stop", ("256", "257")),
    ("tools", [TOOL] * 128, [TOOL] * 129, "too_many_tools", "tools", ("128", "129")),
    ("response_format", FITS, LARGE, "schema_too_large", "response_format", ("65536", "65537")),
    ("json_schema", FITS, LARGE, "schema_too_large", "json_schema", ("65536", "65537")),
    ("structured_outputs", FITS, LARGE, "schema_too_large", "structured_outputs", ("65536", "65537")),
    ("grammar", "g" * (SCHEMA - 2), "g" * (SCHEMA - 1), "schema_too_large", "grammar", ("65536", "65537")),
    ("messages", [user()] * 2048, [user()] * 2049, "too_many_messages", "messages", ("2048", "2049")),
    ("messages", images(8), images(9), "too_many_images", "messages", ("8", "9")),
    ("messages", [user(*[PART] * 8)], [user(*[PART] * 9)], "too_many_images", "messages", ("8", "9")),
]


@pytest.mark.parametrize(
    ("field", "fits", "above", "code", "param", "said"), CASES, ids=[f"{case[0]}-{i}" for i, case in enumerate(CASES)]
)
@pytest.mark.parametrize("path", [CHAT, "/v1/completions", "/v1/embeddings"])
async def test_at_the_limit_and_one_above(
    stage: Rig, path: str, field: str, fits: Any, above: Any, code: str, param: str, said: tuple[str, str]
) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    body = chat(**{field: fits})
    assert (await stage.ask(post(body, path))).status == 200
    assert engine.seen[0].body == body
    answer = await stage.ask(post(chat(**{field: above}), path))
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, code, param)
    assert (answer.error["source"], answer.error["type"]) == ("gateway", "invalid_request_error")
    assert all(figure in answer.error["message"] for figure in said)
    assert len(engine.seen) == 1


WRONG = [
    ("n", "9"),
    ("n", [1]),
    ("best_of", {}),
    ("top_logprobs", "x"),
    ("logprobs", [[]]),
    ("stop", 5),
    ("stop", [5]),
    ("stop", {"a": "b"}),
    ("tools", {}),
    ("tools", ["x"]),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
async def test_a_wrong_type_is_refused(stage: Rig, field: str, value: Any) -> None:
    """Some engines read the text "9" as the number."""
    engine = await stage.engine()
    stage.serve(route(engine.port))
    answer = await stage.ask(post(chat(**{field: value})))
    assert (answer.status, answer.error["code"]) == (400, "invalid_type")
    assert answer.error["param"].startswith(field)
    assert not engine.seen


@pytest.mark.parametrize("value", [b"1e999", b"-1e999", b"9" * 5000, b"-" + b"9" * 5000, b"1.5e308", b"0.1e-999"])
@pytest.mark.parametrize("field", [b"n", b"logprobs"])
async def test_numbers_of_any_length_are_answered(stage: Rig, field: bytes, value: bytes) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    answer = await stage.ask(post(b'{"model":"tiny","%b":%b}' % (field, value)))
    small = value.startswith((b"0", b"-"))
    assert answer.status == 400 or (small and answer.status == 200)


@pytest.mark.parametrize("field", ["n", "best_of", "logprobs", "stop", "tools", "response_format", "messages"])
async def test_null_is_as_good_as_nothing(stage: Rig, field: str) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    assert (await stage.ask(post(msgspec.json.encode({"model": "tiny", field: None})))).status == 200


async def test_the_last_of_two_equal_names_counts(stage: Rig) -> None:
    """As it does for engines, however it is written."""
    engine = await stage.engine()
    stage.serve(route(engine.port))
    assert (await stage.ask(post(b'{"model":"tiny","n":1,"n":9}'))).status == 400
    assert (await stage.ask(post(b'{"model":"tiny","n":1,"\\u006e":9}'))).status == 400


# ---- depth


def arrays(levels: int) -> bytes:
    """A body of so many levels: itself, and arrays in each other."""
    inner = b"[" * (levels - 1) + b"]" * (levels - 1)
    return b' {"model":"tiny", "x" : %b}\r\n' % inner


@pytest.mark.parametrize("path", [CHAT, "/v1/completions", "/v1/embeddings"])
@pytest.mark.parametrize("padding", [0, 1])
async def test_levels_at_the_limit_and_one_above(stage: Rig, path: str, padding: int) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    long = b" " * (padding * 100_000)
    assert (await stage.ask(post(long + arrays(32), path))).status == 200
    answer = await stage.ask(post(long + arrays(33), path))
    assert (answer.status, answer.error["code"], answer.error["source"]) == (400, "nested_too_deeply", "gateway")
    assert "32" in answer.error["message"]
    assert len(engine.seen) == 1


@pytest.mark.parametrize("text", ["[" * 1000, '{"' * 500, '\\"[' * 500, "\\" * 7 + "[{" * 100, '"]}' * 40])
@pytest.mark.parametrize(("levels", "fits"), [(32, True), (33, False)])
def test_brackets_within_text_are_no_levels(text: str, levels: int, fits: bool) -> None:
    nest: Any = [text]
    for place in range(levels - 2):
        nest = [text, nest, text] if place % 2 else {text: nest, "x": text}
    body = msgspec.json.encode({"model": "tiny", text + "x": text, "x": nest})
    assert _depth(body) == levels
    assert isinstance(look(body, ROWS[CHAT]), BodyView) is fits


def _depth(body: bytes) -> int:
    """Levels, counted by walking through what the body says."""
    deepest, todo = 0, [(msgspec.json.decode(body), 1)]
    while todo:
        value, level = todo.pop()
        if isinstance(value, dict | list):
            deepest = max(deepest, level)
            todo += [(inner, level + 1) for inner in (value.values() if isinstance(value, dict) else value)]
    return deepest


def test_random_bodies_have_the_depth_that_walking_finds() -> None:
    dice = random.Random(7)
    texts = ["", "[", '"', "\\", '\\"', "}{", "a]", '["\\\\', "图{"]

    def value(budget: int) -> Any:
        kind = dice.random()
        if budget == 0 or kind < 0.25:
            return dice.choice([*texts, None, 1.5, True])
        if kind < 0.6:
            return [value(budget - 1) for _ in range(dice.randint(0, 3))]
        return {dice.choice(texts) + str(place): value(budget - 1) for place in range(dice.randint(0, 3))}

    verdicts: set[bool] = set()
    for _ in range(2000):
        plain = msgspec.json.encode({"x": value(7)})
        for body in (plain, msgspec.json.format(plain, indent=2)):
            refused = too_deep(body, BodyLimits(depth=5)) is not None
            assert refused is (_depth(body) > 5), body
            verdicts.add(refused)
    assert verdicts == {True, False}


# ---- pictures


@pytest.mark.parametrize("shape", ["object", "text"])
async def test_a_picture_at_the_limit_and_one_byte_above(stage: Rig, shape: str) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    bodies: list[bytes] = []
    for size in (20 * MIB, 20 * MIB + 1):
        url = {"url": uri(shell(size))} if shape == "object" else uri(shell(size))
        bodies.append(chat(messages=[user({"type": "text", "text": "?"}, {"type": "image_url", "image_url": url})]))
    assert (await stage.ask(post(bodies[0]))).status == 200
    assert engine.seen[0].body == bodies[0]
    answer = await stage.ask(post(bodies[1]))
    assert (answer.status, answer.error["code"]) == (400, "image_too_large")
    assert answer.error["param"] == "messages[0].content[1].image_url"
    assert "20971520" in answer.error["message"]
    assert "20971521" in answer.error["message"]
    assert len(engine.seen) == 1


@pytest.mark.parametrize("size", [70, 71, 72, 300])
def test_a_picture_is_measured_however_it_is_written(size: int) -> None:
    text = uri(shell(size))
    for written in (text, text.rstrip("="), text.replace("base64", "BASE64"), text.replace("png", "png;x=y")):
        raw = msgspec.json.encode(written)
        for form in (raw, raw.replace(b"/", rb"\/"), raw.replace(b"A", rb"\u0041"), written.encode()):
            check_data_uri(memoryview(form), Steps(), size)
            with pytest.raises(PictureError, match=f"this one has {size}"):
                check_data_uri(memoryview(form), Steps(), size - 1)


@pytest.mark.parametrize("field", sorted(REFUSED_FIELDS))
@pytest.mark.parametrize("path", [CHAT, "/v1/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"])
async def test_fields_that_no_request_may_have(stage: Rig, path: str, field: str) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    body = {"model": "tiny", "messages": [user()], field: {"x": 1}}
    if path == "/v1/responses":
        body["input"] = "hello"
    answer = await stage.ask(post(msgspec.json.encode(body), path))
    assert (answer.status, answer.error["code"], answer.error["param"]) == (400, "parameter_not_allowed", field)
    assert not engine.seen
    assert (await stage.ask(post(msgspec.json.encode({**body, field: None}), path))).status == 200


async def test_switches_of_a_template_pass_and_what_changes_its_meaning_does_not(stage: Rig) -> None:
    engine = await stage.engine()
    stage.serve(route(engine.port))
    assert (await stage.ask(post(chat(chat_template_kwargs={"enable_thinking": False, "level": "low"})))).status == 200
    for bad in ({"tokenize": True}, {"chat_template": "x"}, {"x": {"y": 1}}, {"x": "y" * 300}):
        answer = await stage.ask(post(chat(chat_template_kwargs=bad)))
        assert (answer.status, answer.error["code"]) == (400, "parameter_not_allowed")
    assert len(engine.seen) == 1


def test_other_limits_may_be_given() -> None:
    body = chat(n=2, messages=images(2))
    assert isinstance(look(body, ROWS[CHAT], BODY_LIMITS), BodyView)
    for limits in (BodyLimits(choices=1), BodyLimits(messages=1), BodyLimits(depth=3), BodyLimits(image_bytes=2)):
        assert isinstance(look(body, ROWS[CHAT], limits), Refusal)
