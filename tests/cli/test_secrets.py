"""Secrets stay where they belong: a whole product is searched for canaries, in titles, logs and files."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest
from tests.e2e.product import Product

pytestmark = pytest.mark.heavy

TOKEN = "hf_canary_Zq7rT2mWx9"
# The files that are there to hold a secret, mode 0600 in a folder of mode 0700.
KEEPERS = {"keys/huggingface-token", "keys/local-cli", "keys/pepper", "keys/secrets", "initial_admin_password"}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    running = Product(tmp_path_factory.mktemp("secrets") / "data", "--huggingface-token", TOKEN, "--log-level", "debug")
    running.start()
    yield running
    running.stop()


def holders(product: Product, secret: str) -> list[str]:
    """Every place in which the secret can be read: files that are no keepers, process titles, the output."""
    found = [f"title of {process.pid}" for process in product.relatives() if secret in " ".join(process.cmdline())]
    for path in product.data.rglob("*"):
        name = str(path.relative_to(product.data))
        if path.is_file() and name not in KEEPERS and secret.encode() in path.read_bytes():
            found.append(name)
    if secret in product.log.read_text():
        found.append("output")
    return found


def test_the_folder_is_closed_to_others(product: Product) -> None:
    assert product.data.stat().st_mode & 0o777 == 0o700
    for name in KEEPERS:
        assert (product.data / name).stat().st_mode & 0o777 == 0o600, name
    assert (product.data / "run" / "settings.json").stat().st_mode & 0o777 == 0o600


def test_only_the_public_port_listens(product: Product) -> None:
    ours = {process.pid for process in product.relatives()}
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for connection in psutil.net_connections("inet")
        if connection.pid in ours and connection.status == psutil.CONN_LISTEN and connection.laddr
    }
    assert listening == {("127.0.0.1", product.port)}


def test_no_secret_leaves_its_file(product: Product) -> None:
    password = (product.data / "initial_admin_password").read_text().strip()
    local_key = (product.data / "keys" / "local-cli").read_text().strip()
    inference_key = product.inference_key()
    product.login().get("/api/v1/keys").raise_for_status()
    for secret in (TOKEN, password, local_key, inference_key):
        assert holders(product, secret) == []
