"""A running emulated engine for its own tests."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

LIMIT_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, ask: Callable[[], Any]) -> Any:
    """The first true answer of ``ask``."""
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.01)
    raise AssertionError(f"not within {LIMIT_SECONDS} s: {what}")


class Running:
    """The process, its port once known, and shortcuts to ask it."""

    def __init__(self, process: subprocess.Popen[str], port: int | None) -> None:
        self.process = process
        self.log: list[str] = []
        self.port = port or self._read_port()
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=LIMIT_SECONDS)

    def _read_port(self) -> int:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.append(line.rstrip())
            found = re.search(r" on http://127\.0\.0\.1:(\d+)", line)
            if found:
                return int(found[1])
        raise AssertionError("\n".join(["it ended before it listened", *self.log]))

    def chat(self, prompt: str = "hello", **more: Any) -> httpx.Response:
        headers = more.pop("headers", {})
        body = {"model": "m", "messages": [{"role": "user", "content": prompt}], **more}
        return self.http.post("/v1/chat/completions", json=body, headers=headers)

    def events(self, prompt: str = "hello", **more: Any) -> list[str]:
        """The data of a streamed answer's events; a broken stream raises ``httpx.RemoteProtocolError``."""
        answer = self.chat(prompt, stream=True, **more)
        return [line.removeprefix("data: ") for line in answer.text.splitlines() if line]

    def state(self) -> dict[str, Any]:
        return dict(self.http.get("/fake/state").json())

    def code(self) -> int:
        return self.process.wait(LIMIT_SECONDS)


@contextmanager
def engine(*arguments: str, port: int | None = None) -> Iterator[Running]:
    """``port`` None: wait until it is ready on a port of its own choice. Else it is not waited for."""
    command = [sys.executable, "-m", "aimindserve.sim.fake_engine", "--port", str(port or 0), *arguments]
    if arguments[:1] == ("serve",):
        command = [*command[:3], *arguments, "--port", str(port or 0)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield Running(process, port)
    finally:
        process.kill()
        process.wait(LIMIT_SECONDS)
        if process.stdout:
            process.stdout.close()


def ended(*arguments: str) -> tuple[int, str]:
    """Exit code and output of an engine that ends by itself."""
    command = [sys.executable, "-m", "aimindserve.sim.fake_engine", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    return done.returncode, done.stdout + done.stderr


def texts(events: list[str]) -> str:
    """The answer that chat events spell."""
    parts = [json.loads(event)["choices"] for event in events if event != "[DONE]"]
    return "".join(choices[0]["delta"].get("content") or "" for choices in parts if choices)
