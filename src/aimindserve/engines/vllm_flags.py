"""Who may set which flag of ``vllm serve``.

A list of what is allowed, since every version brings new flags: what neither list names is denied. Managed is what the
product sets itself. Denied is whatever opens files, ports or addresses, runs code, takes secrets, lets requests do so,
or changes memory in a way that the estimate does not know."""

from dataclasses import replace
from functools import cache

from aimindserve.domain.memory_constants import parse_version
from aimindserve.engines._flags import Flag, FlagTable, Kind, Policy
from aimindserve.engines.vllm_data import READ, VersionData, data_of

_MANAGED = (
    "--model --host --port --uds --api-key --served-model-name --root-path --download-dir --data-parallel-size "
    "--data-parallel-size-local --api-server-count --device --device-ids --revision --tokenizer-revision "
    "--code-revision --enable-log-requests --disable-log-requests --disable-uvicorn-access-log --headless "
    "--allowed-media-domains --enable-force-include-usage"
)
_MEMORY = (
    "--max-model-len --max-num-seqs --max-num-batched-tokens --gpu-memory-utilization --kv-cache-memory-bytes "
    "--kv-cache-dtype --block-size --enforce-eager --dtype --quantization --tensor-parallel-size "
    "--pipeline-parallel-size --enable-expert-parallel --enable-prefix-caching --enable-chunked-prefill "
    "--max-num-active-seqs --max-num-queued-reqs --max-num-queued-tokens --max-num-partial-prefills "
    "--max-long-partial-prefills --long-prefill-token-threshold --scheduling-policy --async-scheduling "
    "--max-seq-len-to-capture --cuda-graph-sizes --cudagraph-capture-sizes --max-cudagraph-capture-size "
    "--disable-custom-all-reduce --disable-cascade-attn --disable-sliding-window --attention-backend --moe-backend "
    "--linear-backend --optimization-level --performance-mode --stream-interval --safetensors-load-strategy "
    "--max-parallel-loading-workers --distributed-executor-backend --disable-hybrid-kv-cache-manager "
    "--prefix-caching-hash-algo --swa-bounded-replay --numa-bind --watermark"
)
_MODEL = (
    "--tokenizer-mode --config-format --load-format --model-impl --runner --convert --task --trust-remote-code "
    "--generation-config --override-generation-config --chat-template-content-format --default-chat-template-kwargs "
    "--response-role --seed --max-logprobs --logprobs-mode --skip-tokenizer-init --rope-scaling --rope-theta "
    "--pooler-config --override-pooler-config --enable-auto-tool-choice --tool-call-parser --reasoning-parser "
    "--exclude-tools-when-tool-choice-none --guided-decoding-backend --enable-prompt-tokens-details "
    "--return-tokens-as-token-ids"
)
_PICTURES = (
    "--limit-mm-per-prompt --mm-processor-kwargs --mm-encoder-tp-mode --mm-encoder-attn-backend "
    "--mm-processor-cache-gb --mm-processor-cache-type --disable-mm-preprocessor-cache --disable-chunked-mm-input "
    "--interleave-mm-strings --language-model-only --skip-mm-profiling --video-pruning-rate"
)
_SAYS = "--disable-log-stats --uvicorn-log-level --log-level --shutdown-timeout"
MANAGED = frozenset(_MANAGED.split())
ALLOWED = frozenset(name for names in (_MEMORY, _MODEL, _PICTURES, _SAYS) for name in names.split())
# Where a value could name a file, a module or a class, only these are taken.
_CHOICES = {
    "--load-format": ("auto", "safetensors", "mistral", "dummy", "bitsandbytes", "fastsafetensors"),
    "--distributed-executor-backend": ("mp", "uni"),
    "--generation-config": ("auto", "vllm"),
    "--model-impl": ("auto", "vllm", "transformers"),
    "--config-format": ("auto", "hf", "mistral"),
    "--tokenizer-mode": ("auto", "hf", "slow", "mistral"),
}
_BOUNDS: dict[str, tuple[float, float]] = {
    "--max-model-len": (1, 2**31 - 1),
    "--max-num-seqs": (1, 65_536),
    "--max-num-batched-tokens": (1, 2**24),
    "--gpu-memory-utilization": (0.01, 1),
    "--kv-cache-memory-bytes": (2**20, 2**50),
    "--tensor-parallel-size": (1, 1024),
    "--pipeline-parallel-size": (1, 1024),
    "--mm-processor-cache-gb": (0, 4096),
}
# Whole numbers may be given in thousands in old versions too: the product writes them out.
_SIZES = ("--max-model-len", "--max-num-batched-tokens", "--kv-cache-memory-bytes")


@cache
def flag_table(version: str) -> FlagTable:
    """All flags of a version, with what may be done with them; of both versions around one that was not read."""
    found: dict[str, Flag] = {}
    for data in data_of(version):
        for flag in (*data.flags, *_negatives(data)):
            found[flag.name] = flag
    taken = set(found)
    alone = [replace(flag, others=tuple(name for name in flag.others if name not in taken)) for flag in found.values()]
    return FlagTable(_ruled(flag) for flag in alone)


def _negatives(data: VersionData) -> list[Flag]:
    """``--no-enforce-eager`` and the like, as switches of their own."""
    return [
        Flag(spellings[0], spellings[1:], Kind.SWITCH)
        for spellings in data.negatives.values()
        if not any(flag.name in spellings for flag in data.flags)
    ]


def positive(name: str) -> str:
    """The switch that ``--no-…`` or ``--disable-…`` turns off; any other name as it is."""
    if name in ALLOWED or name in MANAGED:
        return name
    for start, instead in (("--no-", "--"), ("--disable-", "--enable-"), ("--enable-", "--disable-")):
        other = instead + name.removeprefix(start)
        if name.startswith(start) and other in ALLOWED | MANAGED:
            return other
    return name


def _ruled(flag: Flag) -> Flag:
    name = positive(flag.name)
    policy = Policy.MANAGED if name in MANAGED else Policy.ALLOWED if name in ALLOWED else Policy.DENIED
    low, high = _BOUNDS.get(flag.name, (None, None))
    flag = replace(flag, policy=policy, low=low, high=high)
    if flag.name in _CHOICES:
        return replace(flag, kind=Kind.CHOICE, choices=_CHOICES[flag.name])
    if flag.kind is Kind.TEXT and policy is Policy.ALLOWED and flag.name != "--override-pooler-config":
        return replace(flag, kind=Kind.NAME)
    if flag.name in _SIZES:
        # Not ``auto`` either: the product finds the length that fits, and the memory must be known before the start.
        return replace(flag, kind=Kind.SIZE, words=())
    return flag


def has_flag(version: str, name: str) -> bool:
    """Whether a version surely takes a flag: where it was not read, the versions on both sides do."""
    if before(version, READ[0]):
        return False
    return all(any(flag.name == name for flag in data.flags) for data in data_of(version))


def before(version: str, other: str) -> bool:
    """Whether ``version`` is older than ``other``."""
    return parse_version(version) < parse_version(other)
