"""The gateway process: listens, watches deadlines, keeps the channel, and ends without cutting answers off."""

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from aimindserve.gateway.channel import Channel
from aimindserve.gateway.config import GatewayConfig
from aimindserve.gateway.context import Gateway
from aimindserve.gateway.listening import PortUnusableError, listen
from aimindserve.gateway.meters import load_meters, save_meters
from aimindserve.gateway.protocol import ClientConnection
from aimindserve.gateway.table import load_table
from aimindserve.gateway.tls import Certificate, CertificateError

CANNOT_LISTEN = 3
_LONGEST_LEAVE = 3600.0  # seconds
_ACK_PATIENCE = 2.0  # seconds for the last usage to be acknowledged


class Ending:
    """How a gateway ends: at once (``now``), or when those who are connected have left."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.now = asyncio.Event()

    def stop(self) -> None:
        """What is under way may end, within the time that the settings give it."""
        self.begun.set()
        self.now.set()

    def leave(self) -> None:
        """Another gateway takes new connections; those that there are may end in their own time."""
        self.begun.set()


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
        content = None if gateway.stopping else gateway.meters.snapshot()  # another gateway goes on with the file
        if content is not None:
            await asyncio.to_thread(save_meters, file, content)
        if gateway.request_log is not None and (records := gateway.request_log.take()):
            await asyncio.to_thread(gateway.request_log.write, records)


async def serve(
    config: GatewayConfig, listener: socket.socket, certificate: Certificate | None, ending: Ending
) -> None:
    """Serve until ``ending`` begins, then end what is under way."""
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
        if certificate is not None:
            tasks.append(background.create_task(certificate.watch()))
        tls = certificate.context if certificate else None
        server = await loop.create_server(lambda: ClientConnection(gateway), sock=listener, ssl=tls)
        await ending.begun.wait()
        server.close()
        gateway.stopping = True
        if (content := gateway.meters.snapshot()) is not None:
            await asyncio.to_thread(save_meters, counts, content)
        await _leave(gateway, ending)
        await _drain(gateway)
        await gateway.media.close()
        await _settle_usage(gateway, channel)
        await end(tasks)
        gateway.spool.put(gateway.outbox.take_all())
        gateway.spool.close()
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


async def _leave(gateway: Gateway, ending: Ending) -> None:
    """Nobody is sent away: each answer is the last one of its connection, and idle ones run into their time."""
    deadline = gateway.now() + _LONGEST_LEAVE
    while gateway.clients and gateway.now() < deadline and not ending.now.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await ending.now.wait()


async def _drain(gateway: Gateway) -> None:
    """Answers under way may end; the rest is closed when the time is over."""
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


async def main(config: GatewayConfig, listener: socket.socket, certificate: Certificate | None) -> None:
    """``serve`` until TERM or INT; USR1: until those who are connected have left."""
    ending = Ending()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.stop)
    loop.add_signal_handler(signal.SIGUSR1, ending.leave)
    # What exists now stays for good: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    # A request leaves no cycles behind, so looking for them can be rare.
    gc.set_threshold(20_000, 20, 20)
    await serve(config, listener, certificate, ending)


def run(config: GatewayConfig, listener: int | None = None) -> int:
    """The whole life of the process; its exit code. ``listener``: descriptor of a socket that listens already."""
    try:
        certificate = Certificate(config.tls_certificate, config.tls_key) if config.tls_certificate else None
        accepting = listen(config.host, config.port) if listener is None else socket.socket(fileno=listener)
        accepting.set_inheritable(False)
    except (PortUnusableError, CertificateError) as error:
        sys.stderr.write(f"aimindserve gateway: {error}\n")
        return CANNOT_LISTEN
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main(config, accepting, certificate))
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop of uvloop where that is installed (15 to 20 % less CPU), else asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    return uvloop.new_event_loop
