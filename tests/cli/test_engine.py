"""``aimindserve engine …`` against a small server."""

from __future__ import annotations

import json

import pytest
from tests.cli.conftest import Run
from tests.cli.management import Management, worded

from aimindserve.domain.environments import EnvironmentOrigin, EnvironmentState, Variant
from aimindserve.domain.files import TransferProgress
from aimindserve.domain.reasons import ReasonCode, reason
from aimindserve.domain.views_engines import EnvironmentView, OfferView

KEY = "vllm-0.33.0-cuda"


@pytest.fixture
def there(management: Management) -> EnvironmentView:
    one = EnvironmentView(
        node_id="node-1", node="box", key=KEY, engine="vllm", version="0.33.0", variant="cuda", size=2**33,
        origin=EnvironmentOrigin.INSTALLED, state=EnvironmentState.READY, path="/data/vllm", used_by=("eye",),
    )  # fmt: skip
    management.engines.items = [one]
    management.engines.offers = tuple(
        OfferView(name=f"vllm=={v}+cuda", engine="vllm", version=v, variant=Variant.CUDA, size=2**32, cuda="12.8",
                  driver="525.60.13") for v in ("0.33.0", "0.10.2")
    )  # fmt: skip
    return one


def test_ls_shows_what_is_there_and_what_could_be(cli: Run, management: Management, there: EnvironmentView) -> None:
    moving = there.model_copy(
        update={
            "key": "vllm-0.12.0-cuda", "version": "0.12.0", "state": EnvironmentState.FETCHING, "size": None,
            "progress": TransferProgress(done=1, total=4), "node": "other",
        }
    )  # fmt: skip
    why = worded(reason(ReasonCode.WHEELS_NOT_FETCHED, engine="x", detail="no way"), "en")
    failed = there.model_copy(update={"key": "llama", "state": EnvironmentState.FAILED, "reasons": (why,)})
    management.engines.items += [moving, failed]
    done = cli("engine", "ls")
    assert done.returncode == 0, done.stderr
    assert "vllm-0.33.0-cuda  vllm    0.33.0   cuda  ready" in done.stdout
    assert "fetching 25 %" in done.stdout
    assert why.message in done.stdout
    assert "vllm==0.10.2+cuda  4.0 GiB   CUDA 12.8, driver 525.60.13" in done.stdout
    assert "vllm==0.33.0+cuda" not in done.stdout, "it is there"
    here = json.loads(cli("engine", "ls", "--node", "other", "-o", "json").stdout)
    assert [item["key"] for item in here["items"]] == ["vllm-0.12.0-cuda"]
    assert len(here["offers"]) == 2


def test_install_asks_and_waits(cli: Run, management: Management, there: EnvironmentView) -> None:
    management.engines.states = [EnvironmentState.QUEUED, EnvironmentState.INSTALLING, EnvironmentState.READY]
    done = cli("engine", "install", "vllm==0.33.0", "--node", "box", "--wheels", "/media/usb")
    assert done.returncode == 0, done.stderr
    posted = next(request for request in management.requests if request[0] == "POST")
    assert posted[3] == {
        "engine": "vllm", "version": "0.33.0", "variant": None, "nodes": ["box"], "wheels": "/media/usb",
    }  # fmt: skip
    assert done.stdout == "vllm 0.33.0 (cuda) is there: /data/vllm\n"
    assert done.stderr == ""  # no bars in a pipe


def test_an_installation_that_fails_fails_the_command(cli: Run, management: Management, there: EnvironmentView) -> None:
    why = worded(reason(ReasonCode.WHEELS_NOT_FETCHED, engine="x", detail="no way"), "en")
    management.engines.items = [there.model_copy(update={"state": EnvironmentState.FAILED, "reasons": (why,)})]
    done = cli("engine", "install", "vllm==0.33.0")
    assert done.returncode == 1
    assert why.message in done.stderr
    assert why.remedy in done.stderr
    later = cli("engine", "install", "vllm==0.33.0", "--no-wait", "-o", "json")
    assert later.returncode == 0
    assert json.loads(later.stdout)["items"][0]["state"] == "failed"


@pytest.mark.parametrize("name", ["vllm", "vllm==../x", "0.33.0"])
def test_names_that_are_no_engine(cli: Run, management: Management, name: str) -> None:
    done = cli("engine", "install", name)
    assert done.returncode == 1
    assert "aimindserve engine ls" in done.stderr
    assert management.requests == []


def test_register(cli: Run, management: Management, there: EnvironmentView) -> None:
    management.engines.items = [there.model_copy(update={"origin": EnvironmentOrigin.REGISTERED})]
    assert cli("engine", "register", "vllm", "/opt/vllm").returncode == 0
    posted = next(request for request in management.requests if request[0] == "POST")
    assert (posted[1], posted[3]) == (
        "/api/v1/engines/register",
        {"engine": "vllm", "path": "/opt/vllm", "node": None},
    )
    refused = cli("engine", "register", "ollama", "/opt/x")
    assert refused.returncode == 1
    assert "llama-box" in refused.stderr


@pytest.mark.parametrize("which", [KEY, "vllm==0.33.0", "vllm==0.33.0+cuda"])
def test_rm_and_the_rest_take_every_name(cli: Run, management: Management, there: EnvironmentView, which: str) -> None:
    for words, method, path in (
        (("rm", which, "--yes"), "DELETE", f"/api/v1/engines/node-1/{KEY}"),
        (("retry", which), "POST", f"/api/v1/engines/node-1/{KEY}/retry"),
        (("cancel", which), "POST", f"/api/v1/engines/node-1/{KEY}/cancel"),
    ):
        done = cli("engine", *words)
        assert done.returncode == 0, done.stderr
        assert management.requests[-1][:2] == (method, path)


def test_which_one_must_be_clear(cli: Run, management: Management, there: EnvironmentView) -> None:
    management.engines.items.append(there.model_copy(update={"node_id": "node-2", "node": "other"}))
    done = cli("engine", "rm", KEY, "--yes")
    assert done.returncode == 1
    assert "--node" in done.stderr
    assert cli("engine", "rm", KEY, "--yes", "--node", "other").returncode == 0
    assert "no engine" in cli("engine", "rm", "vllm==1.0", "--yes").stderr
