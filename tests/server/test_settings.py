"""Settings: one order of origins, clear refusals, secrets kept apart."""

import json
import stat
from pathlib import Path

import pytest

from aimindserve.server.settings import (
    Settings,
    SettingsError,
    load_settings,
    resolve_settings,
    save_settings,
    without_password,
)


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = tmp_path / "aimindserve.yaml"
    file.write_text("port: 1001\nhost: 10.0.0.1\ndata-dir: /from/file\n")
    environment = {"AIMINDSERVE_PORT": "1002", "AIMINDSERVE_HOST": "10.0.0.2"}
    settings = resolve_settings({"port": 1003, "host": None}, environment, file)
    assert (settings.port, settings.host, settings.data_dir) == (1003, "10.0.0.2", "/from/file")
    assert settings.log_level == "info"


def test_lists_switches_and_sizes_from_the_environment() -> None:
    environment = {
        "AIMINDSERVE_ALLOWED_HOSTS": "a.example, b.example",
        "AIMINDSERVE_DEMO": "true",
        "AIMINDSERVE_BODY_BUDGET_BYTES": "1 GiB",
        "AIMINDSERVE_MAX_BODY_BYTES": "1048576",
    }
    settings = resolve_settings({}, environment)
    assert settings.allowed_hosts == ("a.example", "b.example")
    assert settings.demo is True
    assert (settings.body_budget_bytes, settings.max_body_bytes) == (2**30, 2**20)


def test_hugging_face_token_has_its_usual_name_too(tmp_path: Path) -> None:
    def token(flags: dict[str, str], environment: dict[str, str]) -> str | None:
        found = resolve_settings(flags, environment).huggingface_token
        return found.get_secret_value() if found else None

    assert token({}, {"HF_TOKEN": "hf_a"}) == "hf_a"
    assert token({}, {"HF_TOKEN": "hf_a", "AIMINDSERVE_HUGGINGFACE_TOKEN": "hf_b"}) == "hf_b"
    assert token({"huggingface_token": "hf_c"}, {"HF_TOKEN": "hf_a"}) == "hf_c"
    assert token({}, {}) is None


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"prot": 1}, "no setting prot.*Did you mean port"),
        ({"port": "x"}, "port.*integer"),
        ({"port": 70000}, "port.*65535"),
        ({"public_url": "models.example"}, "public_url"),
        ({"log_level": "loud"}, "log_level.*'debug'"),
    ],
)
def test_bad_values_are_named(flags: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=f"(?s){words}"):
        resolve_settings(flags, {})


def test_where_pictures_are_fetched_from() -> None:
    assert resolve_settings({}, {}).media_policy == "public"
    environment = {"AIMINDSERVE_MEDIA_POLICY": "allowlist", "AIMINDSERVE_MEDIA_HOSTS": "*.example.com, 10.0.0.0/8:9000"}
    found = resolve_settings({}, environment)
    assert (found.media_policy, found.media_hosts) == ("allowlist", ("*.example.com", "10.0.0.0/8:9000"))
    for wrong in ({"media_policy": "all"}, {"media_hosts": "http://example.com"}):
        with pytest.raises(SettingsError, match="media"):
            resolve_settings(wrong, {})


def test_a_refusal_never_repeats_the_value() -> None:
    with pytest.raises(SettingsError) as refusal:
        resolve_settings({}, {"AIMINDSERVE_PORT": "hf_secret_in_the_wrong_place"})
    assert "hf_secret" not in str(refusal.value)


@pytest.mark.parametrize("content", ["port: [", "- a\n- b\n", "just text"])
def test_files_that_are_no_settings(tmp_path: Path, content: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"x\.yaml"):
        resolve_settings({}, {}, file)


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        resolve_settings({}, {}, tmp_path / "none.yaml")


def test_saved_settings_come_back_without_the_token(tmp_path: Path) -> None:
    settings = resolve_settings({"data_dir": str(tmp_path / "d"), "huggingface_token": "hf_canary"}, {})
    file = save_settings(settings)
    assert "hf_canary" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = tmp_path / "d" / "keys" / "huggingface-token"
    assert token.read_text() == "hf_canary"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    loaded = load_settings(file)
    assert loaded == settings.model_copy(update={"huggingface_token": None})
    assert "hf_canary" not in repr(settings)


def test_what_the_gateway_reads_is_there(tmp_path: Path) -> None:
    values = json.loads(save_settings(resolve_settings({"data_dir": str(tmp_path / "d")}, {})).read_text())
    assert {"host", "port", "data_dir", "run_dir", "body_budget_bytes", "log_level"} <= set(values)


def test_damaged_settings_file(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"port": ')
    with pytest.raises(SettingsError):
        load_settings(tmp_path / "s.json")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", "sqlite+aiosqlite:////d/database.sqlite"),
        ("postgresql://u:p@h/x", "postgresql+asyncpg://u:p@h/x"),
        ("postgres://u:p@h/x", "postgresql+asyncpg://u:p@h/x"),
    ],
)
def test_database_addresses(given: str, used: str) -> None:
    assert resolve_settings({"data_dir": "/d", "database_url": given}, {}).database_url == used


def test_database_password_is_not_shown() -> None:
    assert without_password("postgresql+asyncpg://u:p%40x@h/x") == "postgresql+asyncpg://u:***@h/x"


def test_long_data_folder_gets_a_short_folder_for_sockets() -> None:
    settings = resolve_settings({"data_dir": "/" + "x" * 120}, {})
    assert len(settings.run_dir) < 90


def test_every_setting_is_explained() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(("content", "token"), [("hf_x\n", "hf_x"), ("\n", None)])
def test_a_token_in_a_file(tmp_path: Path, content: str, token: str | None) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    settings = resolve_settings({"huggingface_token_file": str(file)}, {})
    assert (settings.huggingface_token and settings.huggingface_token.get_secret_value()) == token
    given = resolve_settings({"huggingface_token_file": str(file)}, {"HF_TOKEN": "hf_environment"})
    assert given.huggingface_token
    assert given.huggingface_token.get_secret_value() == "hf_environment"


def test_a_token_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="huggingface_token_file cannot be read"):
        resolve_settings({"huggingface_token_file": str(tmp_path / "nothing")}, {})
