"""The commands about aliases, keys and people against a small server."""

import json

from tests.cli.conftest import Run
from tests.cli.management import Management


def test_aliases(cli: Run, management: Management) -> None:
    assert "old 90%, new 10%" in cli("alias", "set", "chat", "old=90", "new=10", "--fallback", "small").stdout
    assert management.requests[-1][:2] == ("PUT", "/api/v1/aliases/chat")
    assert management.requests[-1][3] == {
        "targets": [{"deployment": "old", "weight": 90}, {"deployment": "new", "weight": 10}],
        "fallback": "small",
    }
    assert [one["name"] for one in json.loads(cli("alias", "ls", "-o", "json").stdout)["items"]] == ["chat"]
    assert cli("alias", "rm", "chat").returncode == 0
    assert not management.aliases
    wrong = cli("alias", "set", "chat", "old=0")
    assert (wrong.returncode, "weight from 1 to 1000" in wrong.stderr) == (1, True)


def test_a_key_is_edited_and_what_is_not_named_stays(cli: Run, management: Management) -> None:
    made = json.loads(cli("key", "create", "laptop", "--concurrent", "4", "-o", "json").stdout)
    shown = cli("key", "edit", made["id"], "--model", "eye", "--requests-per-minute", "60", "--disable").stdout
    assert management.requests[-1][3] == {
        "models": ["eye"],
        "disabled": True,
        "limits": {
            "requests_per_minute": 60, "tokens_per_minute": None, "images_per_minute": None, "concurrent": 4,
            "tokens_per_month": None,
        },
    }  # fmt: skip
    assert [word in shown for word in ("disabled", "eye", "60 requests/min", "4 at once")] == [True] * 4
    cli("key", "edit", made["id"], "--all-models", "--expires", "never", "--enable", "--no-limits")
    assert management.requests[-1][3]["models"] is None
    assert management.requests[-1][3]["expires_in"] is None
    assert management.requests[-1][3]["limits"] == {}
    assert cli("key", "edit", made["id"]).returncode == 2
    assert cli("key", "edit", "nobody", "--disable").returncode == 1


def test_a_person_is_limited(cli: Run, management: Management) -> None:
    assert "4 at once" in cli("user", "ls").stdout
    assert "1000 tokens/month" in cli("user", "limit", "Ada", "--tokens-per-month", "1000").stdout
    assert management.requests[-1][:2] == ("PATCH", "/api/v1/users/u1")
    assert management.requests[-1][3]["limits"]["concurrent"] == 4
    assert "none" in cli("user", "limit", "ada", "--no-limits").stdout
    assert cli("user", "limit", "ada").returncode == 2
    assert cli("user", "limit", "nobody", "--concurrent", "1").returncode == 1


def test_deploy_asks_for_scaling(cli: Run, management: Management) -> None:
    words = ("--min-replicas", "0", "--idle", "15m", "--hold", "90", "--queue", "8")
    assert cli("deploy", "demo://tiny-vlm", "--replicas", "2", *words).returncode == 0
    assert management.requests[-1][3]["scaling"] == {
        "minimum": 0, "idle_seconds": 900, "hold_seconds": 90, "queue": 8,
    }  # fmt: skip
    assert cli("deploy", "demo://tiny-vlm", "--name", "plain").returncode == 0
    assert "scaling" not in management.requests[-1][3]
