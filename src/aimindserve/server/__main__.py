"""``python -m aimindserve.server --settings FILE``: the server process."""

import sys


def main(arguments: list[str]) -> int:
    """Exit code 0 after an ordinary stop, 78 when a person has to act first, 1 for anything else, 2 for wrong usage."""
    if len(arguments) != 2 or arguments[0] != "--settings":
        sys.stderr.write("usage: python -m aimindserve.server --settings FILE\n")
        return 2
    # structlog loads rich where it is installed, for coloured tracebacks that a server does not print: 6 MB, 70 ms.
    sys.modules["rich"] = None  # type: ignore[assignment]  # "cannot be imported"
    from aimindserve.server.process import run  # noqa: PLC0415

    return run(arguments[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
