"""Settings that install.sh hands over end in the file, tokens in the data folder, and nothing is half done."""

import stat
import subprocess
import sys
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.cli.configure import merged, read_lines

NAMES = st.sampled_from(["port", "host", "data_dir", "public_url", "key_queue"])
VALUES = st.one_of(st.integers(0, 99999).map(str), st.text(st.characters(codec="utf-8", exclude_categories=["C"])))


def configure(file: Path, lines: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aimindserve.cli.configure", "--config", file]
    return subprocess.run(command, input=lines, capture_output=True, text=True, check=False, timeout=60)


@given(st.dictionaries(NAMES, VALUES), st.dictionaries(NAMES, VALUES))
def test_what_was_merged_is_read_back(first: dict[str, str], second: dict[str, str]) -> None:
    text = merged(merged("", first), second)
    assert {name: str(value) for name, value in (yaml.safe_load(text) or {}).items()} == {
        name: str(int(value)) if value.isdecimal() and value.isascii() else value
        for name, value in (first | second).items()
    }


def test_comments_and_order_stay() -> None:
    old = "# ours\nport: 80  # the usual\nlog-level: info\n\n# end\n"
    assert merged(old, {"log_level": "debug", "demo": "true"}) == (
        '# ours\nport: 80  # the usual\nlog_level: "debug"\n\n# end\ndemo: true\n'
    )


def test_lines_of_standard_input() -> None:
    assert read_lines(["a-b=1\n", "noise\n", "url=http://x/?a=b\n", "a-b=2\n"]) == {"a_b": "2", "url": "http://x/?a=b"}


def test_a_token_ends_in_a_file_of_its_own(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    done = configure(config, f"data_dir={tmp_path}/data\nport=8123\nhuggingface_token=hf_canary\n")
    assert (done.returncode, done.stdout) == (0, "host=0.0.0.0\nport=8123\n")
    token = tmp_path / "data" / "keys" / "huggingface-token"
    assert token.read_text() == "hf_canary"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert "hf_canary" not in config.read_text() + done.stdout + done.stderr
    assert stat.S_IMODE(config.stat().st_mode) & 0o007 == 0


def test_a_wrong_setting_changes_nothing(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("port: 8080\n")
    done = configure(config, f"data_dir={tmp_path}/data\nprot=9\n")
    assert done.returncode == 2
    assert "Did you mean port?" in done.stderr
    assert config.read_text() == "port: 8080\n"
    assert not (tmp_path / "data").exists()
