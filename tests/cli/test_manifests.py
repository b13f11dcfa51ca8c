"""Files of deployments that cannot be applied."""

from pathlib import Path

import pytest

from aimindserve.cli.manifests import _read
from aimindserve.cli.output import CommandError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("deployments: [", "is not YAML"),
        ("[]", "the file"),
        ("deployments: [{name: a}]", "deployments.0.source"),
        ("deployments: [{name: a, source: demo://tiny-vlm, replica: 2}]", "deployments.0.replica"),
        ("deployments: []\nversion: 2", "version"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "models.yaml"
    file.write_text(text)
    with pytest.raises(CommandError, match=words) as caught:
        _read(str(file))
    assert "export" in caught.value.remedy


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        _read(str(tmp_path / "none.yaml"))
