"""The commands about machines against a small server."""

import json

from tests.cli.conftest import Run
from tests.cli.management import Management


def test_labels_and_draining(cli: Run, management: Management) -> None:
    assert "room=lab" in cli("node", "label", "box", "room=lab", "disk-").stdout
    assert management.requests[-1][:2] == ("PATCH", "/api/v1/nodes/box")
    assert management.requests[-1][3] == {"labels": {"room": "lab", "disk": None}}
    assert "drained" in cli("node", "drain", "box").stdout
    listed = cli("node", "ls").stdout
    assert [word in listed for word in ("node-1", "box", "drained", "room=lab")] == [True] * 4
    assert json.loads(cli("node", "undrain", "box", "-o", "json").stdout)["drained_at"] is None
    refused = cli("node", "label", "box", "a b=c")
    assert (refused.returncode, "no labels" in refused.stderr) == (1, True)


def test_deploy_asks_for_labels(cli: Run, management: Management) -> None:
    assert cli("deploy", "demo://tiny-vlm", "--label", "room=lab", "--label", "disk=ssd").returncode == 0
    assert management.requests[-1][3]["placement"] == {"labels": {"room": "lab", "disk": "ssd"}}
