"""Several gateways on one port, by HTTPS, and how they follow each other."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import httpx
import psutil
import pytest
from tests.e2e.product import PASSWORD, Product, wait_for
from tests.support.certificates import self_signed
from tests.support.fake_engine import fake_llama_server

MODEL = "tiny-vlm"


class SecureProduct(Product):
    """The product behind its own certificate, which the environment says to trust (``SSL_CERT_FILE``)."""

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def _ready(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        return False

    def gateways(self) -> set[int]:
        """Their process ids, those that leave included."""
        assert self.process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children()
            return {child.pid for child in children if "aimindserve.gateway" in child.cmdline()}
        return set()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureProduct]:
    folder = tmp_path_factory.mktemp("gateways")
    certificate, key = self_signed("models.test", folder)
    (folder / "config.yaml").write_text(f"tls_certificate: {certificate}\ntls_key: {key}\ngateway_processes: 2\n")
    engine = str(fake_llama_server(folder))
    options = ("--config", str(folder / "config.yaml"), "--demo", "--llama-server", engine)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificate))
        running = SecureProduct(folder / "data", *options)
        running.start()
        yield running
        running.stop()
        for left in running.relatives():
            left.kill()


class Asking(threading.Thread):
    """Asks over a new connection each time until told to stop, and keeps what was not answered with 200."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(daemon=True)
        self.url, self.token = url, token
        self.over, self.answers, self.failed = threading.Event(), 0, list[str]()

    def run(self) -> None:
        body = {"model": MODEL, "max_tokens": 2, "messages": [{"role": "user", "content": "count"}]}
        headers = {"authorization": f"Bearer {self.token}"}
        while not self.over.is_set():
            try:
                answer = httpx.post(f"{self.url}/v1/chat/completions", json=body, headers=headers, timeout=60)
                self.answers += 1
                if answer.status_code != 200:
                    self.failed.append(answer.text)
            except httpx.HTTPError as error:
                self.failed.append(repr(error))


@pytest.mark.heavy
def test_cookies_are_secure(product: SecureProduct) -> None:
    initial = product.data / "initial_admin_password"
    password = initial.read_text().strip() if initial.exists() else PASSWORD
    answer = httpx.post(
        f"{product.url}/api/v1/session",
        json={"username": "admin", "password": password},
        headers={"x-aimindserve-csrf": "1", "origin": product.url},
    )
    assert answer.status_code == 200
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.heavy
def test_a_reload_replaces_both_gateways_and_loses_no_request(product: SecureProduct) -> None:
    product.wait_phase(MODEL, "ready")
    before = product.gateways()
    assert len(before) == 2
    asking = Asking(product.url, product.inference_key())
    asking.start()
    config = product.data.parent / "config.yaml"
    wait_for("requests are answered", lambda: asking.answers >= 3)
    config.write_text(f"{config.read_text()}key_queue: 20\n")
    assert product.cli("reload") == {"in_force": ["key_queue"], "waiting_for_a_start": []}
    wait_for("two others took over", lambda: len(now := product.gateways()) == 2 and not now & before)
    answered = asking.answers
    wait_for("they answer", lambda: asking.answers >= answered + 5)
    asking.over.set()
    asking.join(60)
    assert asking.failed == []
