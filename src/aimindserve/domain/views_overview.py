"""What the management API answers about the whole: what is used, what needs attention, figures over time."""

from typing import Literal

from aimindserve.domain.history import DevicePoint, Span, TrafficPoint
from aimindserve.domain.lifecycle import Phase
from aimindserve.domain.views import ReasonView, View


class DeviceSumView(View):
    """All devices of one kind (``gpu``: whatever the vendor): how many, and bytes that can be claimed, are in use as
    measured, are claimed, can still be claimed."""

    kind: Literal["gpu", "cpu"]
    devices: int
    total: int
    used: int
    claimed: int
    free: int


class AttentionView(View):
    """Something that a person should look at, with the reasons and what to do."""

    about: Literal["deployment", "node"]
    name: str
    reasons: tuple[ReasonView, ...]


class OverviewView(View):
    """The whole at one look. ``replicas``, ``deployments``: how many by phase."""

    devices: tuple[DeviceSumView, ...]
    nodes: int
    nodes_alive: int
    replicas: dict[Phase, int]
    deployments: dict[Phase, int]
    attention: tuple[AttentionView, ...]


class TrafficView(View):
    """Requests over time, oldest first, in steps of ``step`` seconds; the last one goes on."""

    span: Span
    step: int
    points: tuple[TrafficPoint, ...]


class DeviceHistoryView(View):
    """A device over time, oldest first, in steps of ``step`` seconds; the last one goes on."""

    span: Span
    step: int
    points: tuple[DevicePoint, ...]
