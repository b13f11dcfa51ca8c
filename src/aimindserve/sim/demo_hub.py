"""``aimindserve start --demo`` with emulated model hubs in the place of the real ones (``make demo-hub``).

``python -m aimindserve.sim.demo_hub [arguments of aimindserve start]``: the hubs live as long as the product does.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from aimindserve.sim import hub_data
from aimindserve.sim.fake_hub import describe
from aimindserve.sim.hub_server import FakeHub


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until the product ends; its exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    catalogue = hub_data.load()
    with FakeHub(catalogue) as hub:
        print(describe(hub, catalogue), flush=True)  # noqa: T201
        places = {"HF_ENDPOINT": hub.endpoint, "MODELSCOPE_ENDPOINT": hub.modelscope_endpoint}
        command = Path(sys.executable).with_name("aimindserve")
        process = subprocess.Popen([str(command), "start", "--demo", *words], env={**os.environ, **places})
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: process.terminate())
        return process.wait()


if __name__ == "__main__":
    raise SystemExit(main())
