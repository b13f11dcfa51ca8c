"""Turns: on each GPU one engine starts at a time.

An engine that starts measures what is free on its GPU to size its cache; another that takes or frees memory meanwhile
makes it fail (vLLM: gpu_worker.py, the assertion after the profile run) or leaves it with too little."""

import asyncio
from collections.abc import Iterable

from aimindserve.domain.nodes import CPU_DEVICE_ID
from aimindserve.domain.replicas import Claim


def gpus_of(claims: Iterable[Claim]) -> tuple[str, ...]:
    """The devices on which a start needs its turn."""
    return tuple(sorted({claim.device_id for claim in claims} - {CPU_DEVICE_ID}))


class Starts:
    """Who is starting on which device."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}
        self._freed = asyncio.Event()

    def busy(self, replica_id: str, devices: Iterable[str]) -> str | None:
        """One of ``devices`` on which another replica is starting."""
        return next((device for device in devices if self._holders.get(device, replica_id) != replica_id), None)

    def hold(self, replica_id: str, devices: Iterable[str]) -> None:
        """Note that ``replica_id`` is starting on ``devices``, whoever else is: its engine runs already."""
        self._holders.update(dict.fromkeys(devices, replica_id))

    async def take(self, replica_id: str, devices: tuple[str, ...]) -> None:
        """Wait until nobody else is starting on any of ``devices``, and hold all of them."""
        while self.busy(replica_id, devices) is not None:
            await self._freed.wait()
        self.hold(replica_id, devices)

    def release(self, replica_id: str) -> None:
        """It is ready or has ended: the next ones may start. Nothing happens when it holds no device."""
        held = [device for device, holder in self._holders.items() if holder == replica_id]
        for device in held:
            del self._holders[device]
        if held:
            self._freed.set()
            self._freed = asyncio.Event()
