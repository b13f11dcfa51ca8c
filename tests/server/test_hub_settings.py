"""How the hubs are reached: settings, stored over started; tokens that go in and never come out."""

import json
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select, text
from starlette.types import ASGIApp
from tests.server.fixtures import Clock, client_of, local_key, open_context

from aimindserve.domain.paths import DataPaths
from aimindserve.server.app import create_app
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import EventRow
from aimindserve.server.hub_access import hub_access
from aimindserve.server.secrets import DamagedSecretError, Vault, hint_of, load_key, open_vault
from aimindserve.server.settings import Settings, resolve_settings, save_settings

HUB = "/api/v1/settings/hub"
CANARY = "hf_Canary0Qx7Zr2Lw9"


async def settings_of(client: httpx.AsyncClient) -> dict[str, object]:
    answer = await client.get(HUB)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_defaults(cli: httpx.AsyncClient) -> None:
    found = await settings_of(cli)
    assert found["huggingface_endpoint"] == "https://huggingface.co"
    assert found["modelscope_endpoint"] == "https://modelscope.cn"
    assert set(found["origins"].values()) == {"default"}
    assert [(token["hub"], token["present"], token["origin"]) for token in found["tokens"]] == [
        ("hf", False, None),
        ("ms", False, None),
    ]


async def test_stored_values_win_and_null_goes_back(context: ServerContext, cli: httpx.AsyncClient) -> None:
    wish = {"huggingface_endpoint": "https://hf-mirror.com/", "rate_limit": 1000, "offline": True}
    assert (await cli.patch(HUB, json=wish)).status_code == 200
    access = await hub_access(context)
    assert access.endpoints["hf"] == "https://hf-mirror.com"
    assert (access.rate_limit, access.offline) == (1000, True)
    found = (await cli.patch(HUB, json={"huggingface_endpoint": None})).json()
    assert found["huggingface_endpoint"] == "https://huggingface.co"
    assert found["origins"] == {
        "huggingface_endpoint": "default",
        "modelscope_endpoint": "default",
        "proxy": "default",
        "rate_limit": "stored",
        "offline": "stored",
    }


async def test_a_stored_no_wins_over_a_start_that_says_offline(settings: Settings, clock: Clock) -> None:
    started = settings.model_copy(update={"offline": True, "download_rate_limit": 5})
    async with open_context(started, clock) as context, client_of(create_app(context), local_key(context)) as client:
        assert (await settings_of(client))["origins"]["offline"] == "start"
        assert (await hub_access(context)).rate_limit == 5
        await client.patch(HUB, json={"offline": False})
        assert (await hub_access(context)).offline is False


@pytest.mark.parametrize(
    "wish",
    [
        {"huggingface_endpoint": "hf-mirror.com"},
        {"huggingface_endpoint": "https://user:pw@mirror"},
        {"proxy": "socks5://x"},
        {"rate_limit": 0},
        {"endpoint": "https://x"},
    ],
)
async def test_what_cannot_be_used_is_refused(cli: httpx.AsyncClient, wish: dict[str, object]) -> None:
    answer = await cli.patch(HUB, json=wish)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "pw" not in answer.text


async def test_a_proxys_password_stays_inside(context: ServerContext, cli: httpx.AsyncClient) -> None:
    proxy = "http://me:canary9@proxy.example:3128"
    found = (await cli.patch(HUB, json={"proxy": proxy})).json()
    assert found["proxy"] == "http://me:***@proxy.example:3128"
    # A form sends back what it was shown.
    await cli.patch(HUB, json={"proxy": found["proxy"], "offline": False})
    assert (await hub_access(context)).proxy == proxy
    assert "canary9" not in await everything(context)
    await cli.patch(HUB, json={"proxy": None})
    assert (await hub_access(context)).proxy is None


async def test_token_is_stored_sealed_and_shown_by_its_end(
    context: ServerContext, cli: httpx.AsyncClient, app: ASGIApp, capfd: pytest.CaptureFixture[str]
) -> None:
    answer = await cli.put(f"{HUB}/tokens/hf", json={"token": CANARY})
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await hub_access(context)).tokens == {"hf": CANARY}
    token = (await settings_of(cli))["tokens"][0]
    assert (token["present"], token["origin"], token["hint"]) == (True, "stored", CANARY[-4:])
    answers = [(await cli.get(f"/api/v1/{path}")).text for path in ("settings", "settings/hub", "system")]
    refused = await cli.put(f"{HUB}/tokens/hf", json={"token": f"{CANARY} with a blank"})
    assert refused.status_code == 422
    for place in (*answers, refused.text, await everything(context), repr(await hub_access(context))):
        assert CANARY not in place
    assert holders(Path(context.settings.data_dir), CANARY) == []
    assert CANARY not in "".join(capfd.readouterr())


def holders(folder: Path, secret: str) -> list[Path]:
    """The files in which the secret can be read."""
    return [file for file in folder.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]


async def everything(context: ServerContext) -> str:
    """All rows of the tables in which a token could stand, as text."""
    async with context.database.read() as session:
        rows = [(await session.execute(text(f"SELECT * FROM {name}"))).all() for name in ("events", "settings")]
        sealed = (await session.execute(text("SELECT * FROM secrets"))).all()
    return repr(rows) + repr(sealed)


async def test_events_tell_who_and_what(context: ServerContext, cli: httpx.AsyncClient) -> None:
    await cli.put(f"{HUB}/tokens/ms", json={"token": CANARY})
    await cli.patch(HUB, json={"offline": True})
    await cli.delete(f"{HUB}/tokens/ms")
    async with context.database.read() as session:
        rows = await session.scalars(select(EventRow).where(EventRow.kind.like("hub.%")).order_by(EventRow.id))
        told = [(row.kind, row.subject, row.payload) for row in rows]
    assert told == [
        ("hub.token_stored", "ms", {}),
        ("hub.settings_changed", "hub", {"changes": {"offline": {"before": None, "after": True}}}),
        ("hub.token_removed", "ms", {}),
    ]


async def test_stored_token_wins_over_the_starts_and_both_go(settings: Settings, clock: Clock) -> None:
    save_settings(settings.model_copy(update={"huggingface_token": SecretStr("hf_from_the_start")}))
    file = Path(settings.paths.huggingface_token)
    async with open_context(settings, clock) as context, client_of(create_app(context), local_key(context)) as client:
        assert (await settings_of(client))["tokens"][0]["origin"] == "start"
        assert (await hub_access(context)).tokens == {"hf": "hf_from_the_start"}
        await client.put(f"{HUB}/tokens/hf", json={"token": CANARY})
        assert (await hub_access(context)).tokens == {"hf": CANARY}
        assert (await client.delete(f"{HUB}/tokens/hf")).status_code == 204
        assert (await hub_access(context)).tokens == {}
    assert holders(file.parent, "hf_from_the_start") == []


async def test_a_token_sealed_with_another_key_counts_as_none(context: ServerContext, cli: httpx.AsyncClient) -> None:
    await cli.put(f"{HUB}/tokens/hf", json={"token": CANARY})
    context.vault = Vault(bytes(32))
    assert (await settings_of(cli))["tokens"][0]["present"] is False


async def test_an_unknown_hub_has_no_token(cli: httpx.AsyncClient) -> None:
    assert (await cli.put(f"{HUB}/tokens/gh", json={"token": CANARY})).status_code == 422


def test_sealing(tmp_path: Path) -> None:
    vault = Vault(bytes(range(32)))
    sealed = vault.seal("token.hf", CANARY)
    assert vault.open("token.hf", sealed) == CANARY
    assert vault.seal("token.hf", CANARY) != sealed
    assert vault.open("token.ms", sealed) is None
    assert vault.open("token.hf", sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert vault.open("token.hf", b"") is None
    assert CANARY not in repr(Vault(bytes(32), {"hf": CANARY}))


def test_key_file_is_private_and_kept(settings: Settings) -> None:
    paths: DataPaths = settings.paths
    key = open_vault(paths).key
    file = Path(paths.secrets_key)
    assert (file.stat().st_mode & 0o777, len(key)) == (0o600, 32)
    assert open_vault(paths).key == key
    file.write_bytes(b"short")
    with pytest.raises(DamagedSecretError, match="stored tokens are lost"):
        load_key(file, "stored tokens are lost")


def test_short_tokens_give_no_hint() -> None:
    assert (hint_of("hf_12345"), hint_of("hf_123456789")) == ("", "6789")


def test_names_that_the_world_uses(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    environment = {
        "HF_ENDPOINT": "https://hf-mirror.com/",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(tmp_path),
        "MODELSCOPE_API_TOKEN": "ms_token",
        "MODELSCOPE_ENDPOINT": "",
        "AIMINDSERVE_DOWNLOAD_RATE_LIMIT": "20MiB",
    }
    found = resolve_settings({"data_dir": str(tmp_path / "d")}, environment)
    assert found.huggingface_endpoint == "https://hf-mirror.com"
    assert (found.offline, found.download_rate_limit) == (True, 20 * 2**20)
    assert found.huggingface_cache == (str(tmp_path / "hub"),)
    assert found.modelscope_endpoint == "https://modelscope.cn"
    assert "ms_token" not in json.dumps(json.loads(save_settings(found).read_text()))
    assert Path(found.paths.modelscope_token).read_text() == "ms_token"
    assert resolve_settings({}, environment | {"HF_HUB_CACHE": "/a, /b"}).huggingface_cache == ("/a", "/b")
    assert resolve_settings({}, {"HOME": str(tmp_path / "none")}).huggingface_cache == ()
