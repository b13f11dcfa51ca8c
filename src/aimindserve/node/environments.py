"""Finding engine programs and their versions."""

import asyncio
import contextlib
import os
import re
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aimindserve.domain.environments import Variant
from aimindserve.domain.nodes import DeviceKind, EngineInstall
from aimindserve.domain.reasons import Reason, ReasonCode, reason
from aimindserve.domain.specs import EngineName
from aimindserve.engines.llama_dialects import EMBEDDED, LLAMA_BOX, LLAMA_SERVER
from aimindserve.node.launch import base_environment
from aimindserve.node.llama_server import package_version
from aimindserve.node.vllm_programs import vllm_programs

_ASK_SECONDS = 20.0
_REFUSAL_SECONDS = 30.0
_ILLEGAL_INSTRUCTION = -4
_VERSION = re.compile(r"version:?\s*(\S+)", re.IGNORECASE)
_GPU_NAMES = {DeviceKind.NVIDIA: "CUDA", DeviceKind.AMD: "ROCm"}
_VARIANTS = {DeviceKind.NVIDIA: Variant.CUDA, DeviceKind.AMD: Variant.ROCM}
_LAST_WORDS = 300
INSTALL_COMMAND = f"{sys.executable} -m pip install 'aimindserve[llama-cpp]'"


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What tells that a program file is still the same."""

    path: str
    changed_ns: int
    size: int


class Environments:
    """The engine programs of this machine. What runs is known until its file changes. A refusal is kept for
    ``refusals_kept`` seconds: a busy machine or a library that is installed later changes no file of the program.
    ``engines``: the folder for engines that are installed for the product."""

    def __init__(
        self, llama_server: str | None = None, refusals_kept: float = _REFUSAL_SECONDS, engines: Path | None = None
    ) -> None:
        self._configured = llama_server
        self._engines = engines or Path("/nonexistent")
        self._refusals_kept = refusals_kept
        self._registered: dict[str, str] = {}
        self._known: dict[_Stamp, EngineInstall] = {}
        self._refused: dict[_Stamp, tuple[Reason, float]] = {}

    def register(self, programs: Mapping[str, str]) -> None:
        """Programs that an administrator named, with their engine."""
        self._registered = dict(programs)

    async def llama_cpp(self) -> tuple[EngineInstall, ...] | Reason:
        """The programs for GGUF models, the usual one first: the configured one, else ``llama-server`` and
        ``llama-box`` on the PATH, else the server inside the package xllamacpp; then those that were registered or
        installed. A reason when there is none, or when the configured one does not run."""
        if self._configured:
            usual = await self._program(_absolute(self._configured))
        else:
            usual = await self._usual()
        others = [await self._program(path) for path in await asyncio.to_thread(self._llama_paths)]
        if self._configured and isinstance(usual, Reason):
            return usual
        found = [one for one in (usual, *others) if isinstance(one, EngineInstall)]
        refused = next((one for one in (usual, *others) if isinstance(one, Reason)), None)
        return tuple({one.path: one for one in found}.values()) if found or refused is None else refused

    def _llama_paths(self) -> list[str]:
        registered = [path for path, engine in self._registered.items() if engine == "llama.cpp"]
        names = (LLAMA_SERVER, LLAMA_BOX)
        installed = [
            str(path) for name in names for path in sorted((self._engines / "llama.cpp").glob(f"*/bin/{name}"))
        ]
        return [*registered, *installed]

    async def _usual(self) -> EngineInstall | Reason:
        refused: Reason | None = None
        for name in (LLAMA_SERVER, LLAMA_BOX):
            path = shutil.which(name)
            found = await self._program(path) if path else None
            if isinstance(found, EngineInstall):
                return found
            refused = refused or found
        embedded = _embedded()
        return refused if refused and isinstance(embedded, Reason) else embedded

    async def _program(self, path: str) -> EngineInstall | Reason:
        """What is known of one program file."""
        try:
            status = await asyncio.to_thread(Path(path).stat)
        except OSError:
            return reason(ReasonCode.ENGINE_PROGRAM_MISSING, path=path)
        stamp = _Stamp(path, status.st_mtime_ns, status.st_size)
        if stamp in self._known:
            return self._known[stamp]
        refused, until = self._refused.get(stamp, (None, 0.0))
        if refused and time.monotonic() < until:
            return refused
        answer = await _ask(path)
        if isinstance(answer, EngineInstall):
            self._known[stamp] = answer
        else:
            self._refused[stamp] = (answer, time.monotonic() + self._refusals_kept)
        return answer

    async def installed(self) -> tuple[EngineInstall, ...]:
        """Every engine that can be run."""
        found = await self.llama_cpp()
        return (*(() if isinstance(found, Reason) else found), *await self.vllm())

    async def vllm(self) -> tuple[EngineInstall, ...]:
        """Every vLLM, in whatever version."""
        registered = [Path(path) for path, engine in self._registered.items() if engine == "vllm"]
        return tuple(await asyncio.to_thread(vllm_programs, self._engines, registered))

    async def check(self, engine: str, path: str) -> Reason | None:
        """Why a program is not the engine that somebody says; None when it is."""
        if engine == "llama.cpp":
            found = await self._program(path)
            return found if isinstance(found, Reason) else None
        answer = await _run(path, "--version")
        if answer is None:
            return reason(ReasonCode.ENGINE_PROGRAM_MISSING, path=path)
        known = await asyncio.to_thread(vllm_programs, Path("/nonexistent"), [Path(path)])
        if answer[0] == 0 and any(one.path == path for one in known):
            return None
        said = " ".join(answer[1].split())[-_LAST_WORDS:] or str(answer[0])
        return reason(ReasonCode.PROGRAM_NOT_ENGINE, path=path, engine=engine, detail=said)

    async def of(self, engine: EngineName) -> tuple[EngineInstall, ...] | Reason:
        """The programs of one engine; a reason when what is there cannot be started."""
        if engine == "vllm":
            return await self.vllm()
        return await self.llama_cpp()


def variant_of(install: EngineInstall) -> str:
    """What a program was built for."""
    return next((_VARIANTS[kind] for kind in install.gpu_kinds if kind in _VARIANTS), Variant.CPU)


def _absolute(configured: str) -> str:
    """A name on the PATH or a path, as a path that does not depend on the working folder."""
    return str(Path(shutil.which(configured) or configured).expanduser().absolute())


def _embedded() -> EngineInstall | Reason:
    version = package_version()
    if version is None:
        return reason(ReasonCode.ENGINE_NOT_INSTALLED, engine="llama.cpp", install=INSTALL_COMMAND)
    return EngineInstall(engine="llama.cpp", flavour=EMBEDDED, version=version, path=sys.executable)


async def _ask(path: str) -> EngineInstall | Reason:
    """What a program says of itself."""
    answer = await _run(path, "--version")
    if answer is None:
        return reason(ReasonCode.ENGINE_PROGRAM_MISSING, path=path)
    code, text = answer
    if code == _ILLEGAL_INSTRUCTION:
        return reason(ReasonCode.ENGINE_ILLEGAL_INSTRUCTION)
    found = _VERSION.search(text)
    if code != 0 and not found:
        return reason(ReasonCode.ENGINE_PROGRAM_MISSING, path=path)
    is_box = LLAMA_BOX in Path(path).name.lower() or LLAMA_BOX in text.lower()
    devices = await _run(path, "--list-devices")
    listed = devices[1] if devices and devices[0] == 0 else ""
    gpu_kinds = [kind for kind, name in _GPU_NAMES.items() if re.search(rf"^\s*{name}\d+:", listed, re.MULTILINE)]
    return EngineInstall(
        engine="llama.cpp",
        flavour=LLAMA_BOX if is_box else LLAMA_SERVER,
        version=found[1] if found else "unknown",
        path=path,
        gpu_kinds=tuple(gpu_kinds),
    )


async def _run(*argv: str) -> tuple[int, str] | None:
    """Exit code and output; None when the program cannot be started or does not end."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=base_environment(os.environ),
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        # Also when the caller gave up: nothing that was started here stays behind.
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode or 0, output.decode("utf-8", "replace")
