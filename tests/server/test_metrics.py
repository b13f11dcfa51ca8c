"""What Prometheus is told, and the example dashboard and alerts: they name metrics that exist."""

import json
import re
from pathlib import Path

import httpx
import yaml
from starlette.types import ASGIApp
from tests.arch.project import ROOT
from tests.server.fixtures import Clock, client_of

from aimindserve.domain.metrics import HELP, Metric, Sample, exposition
from aimindserve.domain.nodes import Device, DeviceKind, NodeFacts
from aimindserve.domain.specs import DeploymentSpec
from aimindserve.gateway.config import GatewayConfig
from aimindserve.gateway.metrics import Metrics
from aimindserve.gateway.metrics import exposition as gateway_exposition
from aimindserve.server.context import ServerContext
from aimindserve.server.db.tables import DeploymentRow, NodeRow

FOLDER = ROOT / "docs" / "monitoring"
NAME = re.compile(r"\baimindserve_[a-z0-9_]+")


async def gateway_names() -> set[str]:
    """Every metric that a gateway tells, histograms by their parts."""
    import asyncio

    from aimindserve.gateway.context import Gateway

    config = GatewayConfig(host="127.0.0.1", port=0, data_dir="/nowhere", run_dir="/nowhere/run")
    async with asyncio.TaskGroup() as tasks:
        gateway = Gateway(config, asyncio.get_running_loop(), tasks)
        text = gateway_exposition(Metrics(), {}, gateway.gauges()).decode()
    typed = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    histograms = {name for name, kind in typed.items() if kind == "histogram"}
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    return (typed.keys() - histograms) | parts


async def test_the_examples_name_only_metrics_that_exist() -> None:
    known = await gateway_names() | {metric.value for metric in Metric}
    for name in ("grafana-dashboard.json", "aimindserve-alerts.yml"):
        used = set(NAME.findall((FOLDER / name).read_text()))
        assert len(used) > 5, name
        assert used - known == set(), name


async def test_every_metric_is_in_the_manual_of_both_languages() -> None:
    names = {re.sub(r"_(bucket|sum|count)$", "", name) for name in await gateway_names()} | {m.value for m in Metric}
    for language in ("en", "zh"):
        page = (ROOT / "docs" / language / "operations.md").read_text()
        assert sorted(name for name in names if f"`{name}`" not in page) == []


def test_the_examples_are_what_their_programs_read() -> None:
    board = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"]) > 10
    assert all(target["expr"] for panel in board["panels"] for target in panel["targets"])
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert {job["metrics_path"] for job in config["scrape_configs"]} == {"/metrics", "/api/v1/metrics"}
    assert (FOLDER / config["rule_files"][0]).is_file()
    (group,) = yaml.safe_load((FOLDER / "aimindserve-alerts.yml").read_text())["groups"]
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    for rule in group["rules"]:
        assert rule["annotations"].keys() == {"summary", "description"}, rule["alert"]
        assert rule["expr"].count("(") == rule["expr"].count(")"), rule["alert"]
        assert set(re.findall(r'job="([^"]+)"', rule["expr"])) <= jobs


async def fill(context: ServerContext, clock: Clock) -> None:
    card = Device(
        id="GPU-1", kind=DeviceKind.NVIDIA, name='Card "9"', memory_total=80, memory_free=70, allocatable=75,
        temperature_c=41.5,
    )  # fmt: skip
    facts = NodeFacts(node_id="n1", hostname="box", boot_id="b", devices=(card,))
    async with context.database.unit_of_work(quiet=True) as work:
        work.session.add(NodeRow(id="n1", hostname="box", facts=facts, created_at=1.0, last_report_at=clock()))
        spec = DeploymentSpec(name="eye", source="demo://tiny-vlm")
        work.session.add(DeploymentRow(id="d", name="eye", spec=spec, created_at=1.0, updated_at=1.0))


def values(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_deployments_nodes_and_devices_are_told(
    app: ASGIApp, context: ServerContext, cli: httpx.AsyncClient, clock: Clock
) -> None:
    await fill(context, clock)
    made = await cli.post("/api/v1/keys", json={"name": "prometheus", "scopes": ["metrics"]})
    async with client_of(app, made.json()["token"]) as prometheus:
        answer = await prometheus.get("/api/v1/metrics")
        assert (await prometheus.get("/api/v1/deployments")).status_code == 403
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    told = values(answer.text)
    card = 'node="box",device="GPU-1",name="Card \\"9\\""'
    assert told[f"aimindserve_device_memory_free_bytes{{{card}}}"] == 70
    assert told[f"aimindserve_device_temperature_celsius{{{card}}}"] == 41.5
    assert told['aimindserve_deployments{phase="pending"}'] == 1
    assert told['aimindserve_node_up{node="box"}'] == 1
    clock.advance(3600)
    assert values((await cli.get("/api/v1/metrics")).text)['aimindserve_node_up{node="box"}'] == 0


async def test_nobody_else_reads_them(anonymous: httpx.AsyncClient, app: ASGIApp, cli: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/api/v1/metrics")).status_code == 401
    made = await cli.post("/api/v1/keys", json={"name": "laptop", "scopes": ["inference"]})
    async with client_of(app, made.json()["token"]) as laptop:
        assert (await laptop.get("/api/v1/metrics")).status_code == 403


def test_the_text_form() -> None:
    assert HELP.keys() == set(Metric)
    text = exposition([Sample(Metric.NODE_UP, 1, {"node": 'a"b\\c\nd'}), Sample(Metric.START_TIME, 1e9 + 0.25)])
    assert text.splitlines() == [
        "# HELP aimindserve_node_up 1 while a node reports, else 0.",
        "# TYPE aimindserve_node_up gauge",
        'aimindserve_node_up{node="a\\"b\\\\c\\nd"} 1',
        "# HELP aimindserve_start_time_seconds When the management server started, in Unix seconds.",
        "# TYPE aimindserve_start_time_seconds gauge",
        "aimindserve_start_time_seconds 1000000000.25",
    ]


def test_the_folder_of_examples_is_whole() -> None:
    assert sorted(path.name for path in Path(FOLDER).iterdir()) == [
        "aimindserve-alerts.yml", "grafana-dashboard.json", "prometheus.yml",
    ]  # fmt: skip
