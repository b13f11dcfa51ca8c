"""The gateway process: listens, watches deadlines, keeps the channel, and ends without cutting answers off."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from aimindserve.gateway.channel import Channel
from aimindserve.gateway.config import GatewayConfig
from aimindserve.gateway.context import Gateway
from aimindserve.gateway.meters import load_meters, save_meters
from aimindserve.gateway.protocol import ClientConnection
from aimindserve.gateway.table import load_table

PORT_UNUSABLE = 3
_BACKLOG = 2048
_ACK_PATIENCE = 2.0  # seconds for the last usage to be acknowledged


class PortUnusableError(Exception):
    """The public port cannot be listened on. The message says what to do."""


def listen(config: GatewayConfig) -> list[socket.socket]:
    """Sockets on the public port; for host ``""`` or ``*``, of both address families where the machine has them.

    Raises:
        PortUnusableError: it is taken, not allowed, or not an address of this machine.
    """
    any_host = config.host in ("", "*")
    shared = config.gateway_processes > 1
    family = socket.AF_INET6 if ":" in config.host or (any_host and socket.has_dualstack_ipv6()) else socket.AF_INET
    address = (("::" if family == socket.AF_INET6 else "0.0.0.0") if any_host else config.host, config.port)
    try:
        listener = socket.create_server(
            address,
            family=family,
            backlog=_BACKLOG,
            reuse_port=shared,
            dualstack_ipv6=any_host and family == socket.AF_INET6,
        )
    except OSError as error:
        raise PortUnusableError(_port_remedy(config, error)) from error
    listener.setblocking(False)  # noqa: FBT003
    # Connections inherit it; clients that vanished without a word are noticed in the end.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return [listener]


def _port_remedy(config: GatewayConfig, error: OSError) -> str:
    where = f"{config.host or '*'}:{config.port}"
    if isinstance(error, PermissionError):
        what = "ports below 1024 need root (or CAP_NET_BIND_SERVICE); choose another one with --port"
    else:
        what = "stop the program that uses it, or choose another one with --port"
    return f"cannot listen on {where} ({(error.strerror or str(error)).lower()}): {what}"


async def watch_deadlines(gateway: Gateway, every: float) -> None:
    """Ends what takes too long. One look at all connections now and then is far cheaper than a timer for each."""
    while True:
        await asyncio.sleep(every)
        now = gateway.now()
        for client in [client for client in gateway.clients if client.deadline <= now]:
            client.expired()


async def keep_counts(gateway: Gateway, file: Path, every: float = 1.0) -> None:
    """Writes down what limited keys have used, so that a restart gives nobody a fresh minute; and the request log."""
    while True:
        await asyncio.sleep(every)
        content = gateway.meters.snapshot()
        if content is not None:
            await asyncio.to_thread(save_meters, file, content)
        if gateway.request_log is not None and (records := gateway.request_log.take()):
            await asyncio.to_thread(gateway.request_log.write, records)


async def serve(config: GatewayConfig, listeners: Sequence[socket.socket], stop: asyncio.Event) -> None:
    """Serve until ``stop`` is set, then end what is under way."""
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as background, asyncio.TaskGroup() as connections:
        gateway = Gateway(config, loop, connections)
        table = load_table(Path(config.paths.routing_table))
        if table is not None:
            gateway.apply(table)
        if not gateway.spool.open():
            sys.stderr.write("aimindserve gateway: usage cannot be kept on disk\n")
        counts = Path(config.paths.limit_counts)
        gateway.meters.restore(load_meters(counts))
        channel = Channel(gateway)
        tasks = [
            background.create_task(channel.run()),
            background.create_task(watch_deadlines(gateway, _tick(config))),
            background.create_task(keep_counts(gateway, counts)),
        ]
        servers = [await loop.create_server(lambda: ClientConnection(gateway), sock=sock) for sock in listeners]
        await stop.wait()
        for server in servers:
            server.close()
        await _drain(gateway)
        await gateway.media.close()
        await _settle_usage(gateway, channel)
        await end(tasks)
        gateway.spool.put(gateway.outbox.take_all())
        gateway.spool.close()
        if (content := gateway.meters.snapshot()) is not None:
            save_meters(counts, content)
        if gateway.request_log is not None:
            gateway.request_log.write(gateway.request_log.take())


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel ``tasks`` until they are over: before Python 3.13, a task group that fails just when it is cancelled tells
    only of the failure, and whoever tries again goes on."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.2)


def _tick(config: GatewayConfig) -> float:
    shortest = min(
        config.header_timeout, config.body_idle_timeout, config.keepalive_timeout, config.stream_idle_timeout
    )
    return max(0.02, min(1.0, shortest / 4))


async def _drain(gateway: Gateway) -> None:
    """Answers under way may end; the rest is closed when the time is over."""
    gateway.stopping = True
    for client in list(gateway.clients):
        client.stop()
    deadline = gateway.now() + gateway.config.drain_seconds
    while gateway.clients and gateway.now() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    for client in list(gateway.clients):
        client.abort()
    await asyncio.sleep(0)


async def _settle_usage(gateway: Gateway, channel: Channel) -> None:
    deadline = gateway.now() + _ACK_PATIENCE
    channel.flush()
    while len(gateway.outbox) and channel.connected and gateway.now() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def main(config: GatewayConfig, listeners: Sequence[socket.socket]) -> None:
    """``serve`` until TERM or INT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # What exists now stays for good: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    # A request leaves no cycles behind, so looking for them can be rare.
    gc.set_threshold(20_000, 20, 20)
    await serve(config, listeners, stop)


def run(config: GatewayConfig) -> int:
    """The whole life of the process; its exit code."""
    try:
        listeners = listen(config)
    except PortUnusableError as error:
        sys.stderr.write(f"aimindserve gateway: {error}\n")
        return PORT_UNUSABLE
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main(config, listeners))
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop of uvloop where that is installed (15 to 20 % less CPU), else asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    return uvloop.new_event_loop
