"""What the management server tells Prometheus: a closed list of metrics, and their text form."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Metric(StrEnum):
    """Every metric of the server; its value is its name."""

    BUILD_INFO = "aimindserve_build_info"
    START_TIME = "aimindserve_start_time_seconds"
    GATEWAYS = "aimindserve_gateways_connected"
    DEPLOYMENTS = "aimindserve_deployments"
    REPLICAS = "aimindserve_replicas"
    REPLICA_RESTARTS = "aimindserve_replica_restarts"
    NODE_UP = "aimindserve_node_up"
    NODE_LAST_REPORT = "aimindserve_node_last_report_timestamp_seconds"
    DEVICE_MEMORY = "aimindserve_device_memory_bytes"
    DEVICE_MEMORY_FREE = "aimindserve_device_memory_free_bytes"
    DEVICE_MEMORY_CLAIMED = "aimindserve_device_memory_claimed_bytes"
    DEVICE_UTILIZATION = "aimindserve_device_utilization_percent"
    DEVICE_TEMPERATURE = "aimindserve_device_temperature_celsius"
    STORE_FREE = "aimindserve_models_disk_free_bytes"
    STORED_MODELS = "aimindserve_models_stored"


HELP: dict[Metric, str] = {
    Metric.BUILD_INFO: "Always 1; the label says the version.",
    Metric.START_TIME: "When the management server started, in Unix seconds.",
    Metric.GATEWAYS: "Gateway processes that hold the current routing table.",
    Metric.DEPLOYMENTS: "Deployments by phase.",
    Metric.REPLICAS: "Replicas by model and phase.",
    Metric.REPLICA_RESTARTS: "Restarts of a replica's engine since it was placed.",
    Metric.NODE_UP: "1 while a node reports, else 0.",
    Metric.NODE_LAST_REPORT: "When a node reported last, in Unix seconds.",
    Metric.DEVICE_MEMORY: "Memory of a device.",
    Metric.DEVICE_MEMORY_FREE: "Memory of a device that nobody uses.",
    Metric.DEVICE_MEMORY_CLAIMED: "Memory of a device that replicas claim.",
    Metric.DEVICE_UTILIZATION: "How busy a device is.",
    Metric.DEVICE_TEMPERATURE: "Temperature of a device.",
    Metric.STORE_FREE: "Free space on the disk that holds a node's model files.",
    Metric.STORED_MODELS: "Models in a node's store by state.",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric with its labels."""

    metric: Metric
    value: float
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def exposition(samples: Iterable[Sample]) -> str:
    """The samples in Prometheus' text format, version 0.0.4; those of one metric together."""
    by_metric: dict[Metric, list[Sample]] = {}
    for sample in samples:
        by_metric.setdefault(sample.metric, []).append(sample)
    lines: list[str] = []
    for metric, found in by_metric.items():
        lines += [f"# HELP {metric} {HELP[metric]}", f"# TYPE {metric} gauge"]
        for sample in found:
            labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
            lines.append(f"{metric}{{{labels}}} {sample.value:.17g}" if labels else f"{metric} {sample.value:.17g}")
    return "\n".join(lines) + "\n"
