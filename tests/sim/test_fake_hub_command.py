"""The emulated hubs as a command."""

import signal
import subprocess
import sys

import httpx

from aimindserve.sim import fake_hub

COMMAND = [sys.executable, "-m", "aimindserve.sim.fake_hub", "--port", "0"]


def test_it_tells_where_it_listens_and_ends_in_order() -> None:
    fault = "status status=503 times=1"
    with subprocess.Popen([*COMMAND, "--fault", fault], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(2)]
        endpoints = dict(line.split("=", 1) for line in told)
        models = f"{endpoints['HF_ENDPOINT']}/api/models"
        assert [httpx.get(models).status_code for _ in range(2)] == [503, 200]
        assert httpx.get(f"{endpoints['MODELSCOPE_ENDPOINT']}/openapi/v1/models").json()["data"]["total_count"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_it_refuses_faults_that_do_not_exist() -> None:
    assert fake_hub.main(["--port", "0", "--fault", "nonsense"]) == 2
