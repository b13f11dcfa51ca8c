"""An engine that answers at once and misbehaves on order: ``python -m aimindserve.sim.fake_engine``.

It speaks the OpenAI protocol over HTTP/1.1 and takes the command line of ``llama-server`` (unknown flags are refused as
there), ``llama-box`` or ``vllm serve``; it needs the standard library alone and starts in a tenth of a second. The same
request always gets the same tokens: words and punctuation marks of the prompt are counted, 16 tokens a picture, 4 a
message; the answer has as many tokens as ``max_tokens`` says, else 16.

Fixed by the command line
    --fake-flavour F          llama-server (default), llama-box, vllm (default after ``serve``): flags, log lines,
                              /health while loading (503, 404, port closed), errors, exit codes
    --fake-start-delay S      seconds of loading; --fake-listen-delay S: before the port opens; --fake-never-ready
    --fake-fail-start WHAT    log lines and exit code of oom (the cache), oom-weights, oom-compute (vLLM: profile run),
                              oom-vision, oom-graphs, corrupt, architecture, mismatch, port, illegal, argument, load
    --fake-cache-tokens N     memory for a cache of N tokens: a longer context fails as oom does
    --fake-fail-times N       only the first N starts fail (or crash, with --fake-crash-after); needs --fake-state FILE,
                              where starts are counted (the file's size)
    --fake-ledger FILE        its own count of tokens by request id (engine_ledger)
    --fake-crash-after S      seconds after it is ready; --fake-exit HOW: kill (default), segv, abort, 0, 1, 2
    --fake-freeze-after S     stops itself (SIGSTOP): connections are accepted, nothing is answered
    --fake-health-status N    what /health answers, ready or not
    --fake-child KIND         a child process: obedient, ignores-term, holds-port (ignores TERM, keeps the port open)
    --fake-ignore-term        ends only by KILL; --fake-term-delay S: takes its time
    --fake-memory-mib N       resident memory
    --fake-sight HOW          what it answers to the pictures of a start: passes (default), wrong, refused (400), silent
                              (the connection ends without an answer)
    --fake-request KNOB=VALUE a knob of every request, may be repeated

The requests of a start (``domain.tryout``) take no other knobs and are not counted.

Knobs of one request: header ``x-fake-KNOB: VALUE``, body field ``"fake": {"KNOB": VALUE}``, or
``[[fake KNOB=VALUE …]]`` in the prompt (so a page or any client can order a fault). Tokens are counted from 0.
    tokens=N, text=WORDS, answer-bytes=N, split-utf8=1     what is answered
    first-token-delay-ms=N, token-delay-ms=N               how slowly
    crash-at-token=K exit=HOW, oom-at-token=K              the process dies (exit as above; oom with its log lines)
    hang-at-token=K, freeze-at-token=K                     no more tokens; no more answers to anybody
    close-at-token=K, error-at-token=K                     the connection ends; an error event, then the end
    usage=right|wrong|missing|null|text, done=0            the end of the answer
    framing=length|chunked|close, connection=close, dribble=N (pieces of N bytes), interim=1 (103 first), garbage=1
    status=N                                               refuses with this status
    echo=1                                                 answers the request as it arrived (also ``/fake/echo``)

``GET /fake/state`` tells process id, requests, finished, aborted, in flight, tokens made.
An API key (``--api-key``, ``--api-key-file``, ``VLLM_API_KEY``) is asked for as the real programs do: not for /health,
nor, in llama.cpp, for /v1/models.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from aimindserve.sim import engine_logs
from aimindserve.sim.engine_faults import die, fork_child, freeze, starts_so_far, take_memory
from aimindserve.sim.engine_knobs import KnobError, Knobs, with_pairs
from aimindserve.sim.engine_options import FLAVOURS, LLAMA_BOX, LLAMA_SERVER, VLLM, Options, UsageError, read_options
from aimindserve.sim.engine_service import Service

_VERSIONS = {
    VLLM: "0.32.0",
    LLAMA_BOX: "version: v0.0.168 (0123abc)",
    LLAMA_SERVER: "version: 11434 (0123abc)\nbuilt with cc (Debian 12.2.0) 12.2.0 for x86_64-linux-gnu",
}
_HEAD_LIMIT = 1 << 16


def _told(words: Sequence[str]) -> str | None:
    """What is printed instead of serving: version or help."""
    if "--help" in words:
        return __doc__
    if "--version" not in words:
        return None
    flavour = next((name for name in FLAVOURS if f"--fake-flavour={name}" in words), None)
    if "--fake-flavour" in words:
        flavour = words[words.index("--fake-flavour") + 1]
    return _VERSIONS.get(flavour or LLAMA_SERVER, _VERSIONS[LLAMA_SERVER])


def _listen(options: Options) -> socket.socket | None:
    """A bound socket; None when the port is taken. The port is known afterwards even if it was 0."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
    except OSError:
        listener.close()
        return None
    listener.listen(512)
    options.port = listener.getsockname()[1]
    return listener


def _fail(options: Options, what: str) -> int:
    engine_logs.write(engine_logs.failure_lines(options, what))
    code = engine_logs.failure_code(options, what)
    if code < 0:
        die("ill")
    return code


async def _end(options: Options, stop: asyncio.Event) -> None:
    await stop.wait()
    await asyncio.sleep(options.knobs.fake_term_delay)


async def _life(options: Options, service: Service, *, crashes: bool) -> None:
    """Loading, then whatever the command line orders for later."""
    knobs = options.knobs
    await asyncio.sleep(knobs.fake_start_delay)
    if knobs.fake_never_ready:
        return
    engine_logs.write(engine_logs.ready_lines(options))
    service.state.ready = True
    if crashes:
        await asyncio.sleep(knobs.fake_crash_after)
        die(knobs.fake_exit)
    if knobs.fake_freeze_after is not None:
        await asyncio.sleep(knobs.fake_freeze_after)
        freeze()


async def _run(options: Options, fixed: Knobs, *, misbehaves: bool) -> int:
    knobs = options.knobs
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, (lambda: None) if knobs.fake_ignore_term else stop.set)
    # vLLM opens its port when the model is loaded, llama.cpp before.
    late = knobs.fake_listen_delay + (knobs.fake_start_delay if options.flavour == VLLM else 0)
    await asyncio.sleep(late)
    if options.flavour == VLLM:
        knobs.fake_start_delay = 0.0
    listener = _listen(options)
    if listener is None:
        return _fail(options, "port")
    service = Service(options, fixed)
    if knobs.fake_child:
        service.state.children.append(fork_child(knobs.fake_child, listener))
    server = await asyncio.start_server(service.serve, sock=listener, limit=_HEAD_LIMIT)
    async with asyncio.TaskGroup() as group:
        life = group.create_task(_life(options, service, crashes=misbehaves and knobs.fake_crash_after is not None))
        await _end(options, stop)
        life.cancel()
    server.close()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until TERM or INT; the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    told = _told(words)
    if told is not None:
        print(told)  # noqa: T201
        return 0
    try:
        options = read_options(words)
        fixed = with_pairs(Knobs(), options.knobs.fake_request)
    except (UsageError, KnobError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2 if "vllm" in str(error) else 1
    knobs = options.knobs
    before = starts_so_far(knobs.fake_state)
    misbehaves = knobs.fake_fail_times is None or before < knobs.fake_fail_times
    held = take_memory(knobs.fake_memory_mib)
    engine_logs.write(engine_logs.start_lines(options))
    if knobs.fake_fail_start and misbehaves:
        return _fail(options, knobs.fake_fail_start)
    if knobs.fake_cache_tokens is not None and options.context > knobs.fake_cache_tokens:
        return _fail(options, "oom")
    if options.flavour != VLLM and options.model and not Path(options.model).exists():
        engine_logs.write(engine_logs.missing_file_lines(options.model))
        return 1
    code = asyncio.run(_run(options, fixed, misbehaves=misbehaves))
    del held
    return code


if __name__ == "__main__":
    raise SystemExit(main())
