"""Hundreds of arguments that would open a port or a file, load code, take a secret or let requests do so: none passes,
however it is spelt, in any version."""

from collections.abc import Iterator

import pytest
from tests.domain import memory_models as models
from tests.engines.test_vllm_flags import DANGEROUS
from tests.engines.vllm_cases import ENGINE, install, machine

from aimindserve.domain.facts import ModelFormat
from aimindserve.domain.nodes import EngineInstall
from aimindserve.engines._base import Machine
from aimindserve.engines.llama_cpp import LlamaCpp
from aimindserve.engines.llama_dialects import EMBEDDED, LLAMA_BOX, LLAMA_SERVER
from aimindserve.engines.llama_flags import DENIED
from aimindserve.engines.vllm_data import READ
from aimindserve.engines.vllm_flags import ALLOWED, MANAGED, flag_table

CANARY = "/etc/canary"
# Flags that anybody may set, with values that reach for files, code or other machines.
VALUES = (
    "--load-format=pt", "--load-format=runai_streamer", "--load-format=tensorizer", "--load-format=sharded_state",
    "--load-format=/etc/canary", "--generation-config=/etc/canary", "--distributed-executor-backend=ray",
    "--distributed-executor-backend=external_launcher", "--distributed-executor-backend=canary.Executor",
    "--model-impl=canary.Model", "--config-format=/etc/canary", "--tokenizer-mode=custom", "--tokenizer-mode=canary",
    "--dtype=$(canary)", "--quantization=../canary", "--attention-backend=canary.Backend",
    "--mm-encoder-attn-backend=/etc/canary", "--tool-call-parser=/etc/canary", "--reasoning-parser=canary.Parser",
    "--kv-cache-dtype=/etc/canary", "--max-model-len=`canary`",
    "--max-num-seqs=1;canary", "--tensor-parallel-size=-1", "--tensor-parallel-size=999999999",
    "--gpu-memory-utilization=nan", "--gpu-memory-utilization=inf", "--max-model-len=-1", "--max-num-seqs=0",
    "--limit-mm-per-prompt=file:///etc/canary", "--limit-mm-per-prompt=@/etc/canary", "--limit-mm-per-prompt=[1]",
    "--uvicorn-log-level=/etc/canary", "--runner=canary", "--convert=/etc/canary", "--task=canary",
)  # fmt: skip


def spellings(flag: str) -> Iterator[tuple[str, ...]]:
    """Ways in which argparse, or somebody in a hurry, would still take the flag."""
    name = flag.removeprefix("--")
    yield (f"{flag}={CANARY}",)
    yield (flag, CANARY)
    yield (f"{flag} {CANARY}",)
    yield (f"--{name.replace('-', '_')}={CANARY}",)
    yield (f"{flag}.path={CANARY}",)
    yield (f"{flag}=",)
    yield ("--enforce-eager", f"{flag}={CANARY}")
    yield (f" {flag}={CANARY}",)
    yield (f"--{name.upper()}={CANARY}",)


HOSTILE = [(flag, words) for flag in (*DANGEROUS.split(), *sorted(MANAGED)) for words in spellings(flag)]


def passed(words: tuple[str, ...], version: str) -> bool:
    """Whether the recipe would start an engine with them."""
    return not ENGINE.plan(models.QWEN2_VL_7B, words, {}, machine(), install(version)).refusals


def test_there_are_enough_of_them() -> None:
    assert len({words for _, words in HOSTILE}) + len(VALUES) > 400


@pytest.mark.parametrize("version", READ)
def test_none_passes(version: str) -> None:
    assert [words for _, words in HOSTILE if passed(words, version)] == []
    assert [word for word in VALUES if passed((word,), version)] == []


@pytest.mark.parametrize("version", READ)
def test_whatever_no_list_names_is_refused(version: str) -> None:
    """Also flags that only this version has, and what turns a switch off."""
    others = [flag for flag in flag_table(version).flags if flag.name not in ALLOWED]
    names = [name for flag in others for name in (flag.name, *flag.others)]
    assert len(names) > 100
    open_ones = {flag.name for flag in flag_table(version).flags if flag.policy.value == "allowed"}
    slipped = [name for name in names if name not in open_ones and passed((f"{name}={CANARY}",), version)]
    assert slipped == []


@pytest.mark.parametrize("flavour", [LLAMA_SERVER, LLAMA_BOX, EMBEDDED])
def test_llama_cpp_takes_none_of_its_own(flavour: str) -> None:
    program = EngineInstall(engine="llama.cpp", flavour=flavour, version="11434", path="/bin/llama-server")
    facts = models.QWEN2_VL_2B_GGUF
    assert facts.format is ModelFormat.GGUF
    cpu = Machine(physical_cores=4)
    for flag in DENIED:
        for name in (flag.name, *flag.others):
            for words in ((f"{name}={CANARY}",), (name, CANARY), (name,)):
                assert LlamaCpp().plan(facts, words, {}, cpu, program).refusals, words
