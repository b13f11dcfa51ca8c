"""Model hubs on this machine: Hugging Face's and ModelScope's protocols over repositories written down as data.

``python -m aimindserve.sim.fake_hub`` listens on three ports in a row and prints what to put into ``HF_ENDPOINT`` and
``MODELSCOPE_ENDPOINT``, which tokens there are, and which names can be searched. It serves until TERM or INT.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from aimindserve.sim import hub_data, hub_faults
from aimindserve.sim.hub_repositories import HUGGING_FACE, MODELSCOPE, Catalogue
from aimindserve.sim.hub_server import FakeHub

DEFAULT_PORT = 8970


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m aimindserve.sim.fake_hub",
        description=__doc__,
        epilog=hub_faults.Fault.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="the first of three ports; 0: any free ones")
    parser.add_argument("--data", type=Path, help="folder with repositories as JSON, instead of those that come along")
    parser.add_argument("--true-size", action="store_true", help="true headers and sizes, zeros for weights")
    parser.add_argument("--page", type=int, default=1000, help="most entries of one page of a listing")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="WORDS",
        help='like "cut path=*.gguf at=1000 times=2"; repeatable',
    )
    return parser


def describe(hub: FakeHub, catalogue: Catalogue) -> str:
    """What a person needs to use the emulator, in lines."""
    lines = [f"HF_ENDPOINT={hub.endpoint}", f"MODELSCOPE_ENDPOINT={hub.modelscope_endpoint}", ""]
    lines.append("Tokens: " + ", ".join(f"{token} ({known.user})" for token, known in catalogue.tokens.items()))
    for name, words in ((HUGGING_FACE, "Hugging Face"), (MODELSCOPE, "ModelScope")):
        lines.append(f"{words}:")
        found = sorted(catalogue.all(name), key=lambda item: item.id.lower())
        lines += [f"  {item.id}{'  (gated)' if item.gated else ''}" for item in found]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until TERM or INT; the exit code."""
    options = _parser().parse_args(arguments)
    catalogue = hub_data.load(*([options.data] if options.data else []), true_size=options.true_size)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        faults = [hub_faults.read_fault(text) for text in options.fault]
    except hub_faults.FaultError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    with FakeHub(catalogue, page=options.page, port=options.port) as hub:
        hub.faults.add(*faults)
        print(describe(hub, catalogue), flush=True)  # noqa: T201
        stop.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
