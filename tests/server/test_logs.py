"""Logs hold no secret, whoever writes and however it got there."""

import logging

import pytest
import structlog

from aimindserve.server.logs import redact_text, set_up_logging
from aimindserve.server.tokens import new_key

CANARIES = {
    "api key": new_key().token,
    "hugging face": "hf_QwErTyUiOpAsDfGhJk",
    "picture": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA",
    "bearer": "Authorization: Bearer abcdef0123456789",
    "basic": "authorization: basic YWRtaW46YWRtaW4=",
    "cookie": "aimindserve_session=Zm9vYmFyYmF6",
    "address": "postgresql+asyncpg://user:hunter2hunter2@db/x",
    "form": "username=a&password=hunter2hunter2&x=1",
    "json": '{"username": "a", "password": "hunter2hunter2"}',
}
SECRET_PARTS = {
    "api key": CANARIES["api key"].rpartition("-")[2],
    "hugging face": "QwErTyUi",
    "picture": "iVBORw0KGgo",
    "bearer": "abcdef0123456789",
    "basic": "YWRtaW46",
    "cookie": "Zm9vYmFy",
    "address": "hunter2",
    "form": "hunter2",
    "json": "hunter2",
}


@pytest.fixture(autouse=True)
def logging_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.parametrize("kind", CANARIES)
def test_text(kind: str) -> None:
    assert SECRET_PARTS[kind] not in redact_text(f"before {CANARIES[kind]} after")


@pytest.mark.parametrize("kind", CANARIES)
def test_every_way_into_the_log(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("debug")
    log = structlog.get_logger()
    secret = CANARIES[kind]
    log.info(secret)
    log.info("event", value=secret, nested={"deep": [{"er": secret}]}, raw=secret.encode())
    log.info("event", x=ValueError(secret))
    logging.getLogger("sqlalchemy.engine").warning("statement with %s", secret)
    try:
        {}[secret]
    except KeyError:
        log.exception("broken")
        logging.getLogger("uvicorn.error").exception("broken %s", secret)
    written = capsys.readouterr().err
    assert written.count("\n") == 6
    assert "Traceback" in written
    assert SECRET_PARTS[kind] not in written


def test_names_that_mean_a_secret_hide_any_value(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    structlog.get_logger().info(
        "event",
        password="plain-one",
        nested={"Set-Cookie": "plain-two", "x-api-key": "plain-three", "engine_key": "plain-four"},
        token="plain-five",
        prompt_tokens=17,
    )
    written = capsys.readouterr().err
    assert "plain-" not in written
    assert "17" in written


def test_one_line_each_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    structlog.get_logger().info("first\nlevel=error forged=1\r\x1b[31mred", name="a\nb")
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert "\x1b" not in written
    assert "\r" not in written


def test_level(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("some.library").info("quiet")
    structlog.get_logger().warning("loud")
    written = capsys.readouterr().err
    assert "quiet" not in written
    assert "loud" in written
