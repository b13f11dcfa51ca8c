"""The flags of llama-server and llama-box that the product knows, with what may be done with them.

Names from the help of llama.cpp b11434 and from llama-box's documentation; policy by what a flag can reach: anything
that opens a file, a port or a socket, downloads, or runs code is denied; what the product sets itself is managed.
Standard library only: the launcher builds its parser from this table.
"""

from aimindserve.engines._flags import Flag, FlagTable, Kind, Policy

# A switch that asks for what the embedded server does anyway.
DEFAULT_ALREADY = "-"

_CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")


def _integer(name: str, *others: str, field: str = "", low: float | None = None, high: float = 2**31 - 1) -> Flag:
    return Flag(name, others, Kind.INTEGER, field=field, low=low, high=high)


def _number(name: str, *others: str, field: str = "") -> Flag:
    return Flag(name, others, Kind.NUMBER, field=field)


def _switch(name: str, *others: str, field: str = "") -> Flag:
    return Flag(name, others, Kind.SWITCH, field=field)


def _choice(name: str, *others: str, choices: tuple[str, ...], field: str = "") -> Flag:
    return Flag(name, others, Kind.CHOICE, field=field, choices=choices)


def _text(name: str, *others: str, field: str = "") -> Flag:
    return Flag(name, others, field=field)


_SERVING = (
    _integer("--ctx-size", "-c", field="n_ctx", low=0),
    _integer("--parallel", "-np", field="n_parallel", low=-1, high=256),
    _integer("--threads", "-t", field="cpuparams.n_threads", low=-1, high=1024),
    _integer("--threads-batch", "-tb", field="cpuparams_batch.n_threads", low=-1, high=1024),
    _integer("--threads-http", field="n_threads_http", low=-1, high=1024),
    _integer("--batch-size", "-b", field="n_batch", low=1),
    _integer("--ubatch-size", "-ub", field="n_ubatch", low=1),
    _integer("--n-predict", "--predict", "-n", field="n_predict", low=-2),
    _integer("--keep", field="n_keep", low=-1),
    _integer("--timeout", "-to", field="timeout_read", low=1),
    _integer("--cache-reuse", field="n_cache_reuse", low=0),
    _integer("--cache-ram", "-cram", field="cache_ram_mib", low=-1),
    _integer("--sleep-idle-seconds", field="sleep_idle_seconds", low=-1),
    _number("--slot-prompt-similarity", "-sps", field="slot_prompt_similarity"),
    _switch("--cont-batching", "-cb", field=DEFAULT_ALREADY),
    _switch("--no-cont-batching", "-nocb", field="cont_batching=false"),
    _switch("--context-shift", field="ctx_shift=true"),
    _switch("--no-context-shift", field=DEFAULT_ALREADY),
    _switch("--kv-unified", "-kvu", field="kv_unified=true"),
    _switch("--cache-prompt", field=DEFAULT_ALREADY),
    _switch("--no-cache-prompt", field="cache_prompt=false"),
    _switch("--swa-full", field="swa_full=true"),
    _switch("--metrics", field="endpoint_metrics=true"),
    _switch("--warmup", field=DEFAULT_ALREADY),
    _switch("--no-warmup", field="warmup=false"),
    _switch("--embeddings", "--embedding", field="embedding=true"),
    _switch("--rerank", "--reranking", field="rerank=true"),
    _choice("--pooling", choices=("none", "mean", "cls", "last", "rank"), field="pooling_type"),
)

_MEMORY = (
    Flag("--n-gpu-layers", ("--gpu-layers", "-ngl"), field="n_gpu_layers"),
    _choice("--split-mode", "-sm", choices=("none", "layer", "row"), field="split_mode"),
    _text("--tensor-split", "-ts"),
    _integer("--main-gpu", "-mg", field="main_gpu", low=0, high=64),
    _text("--device", "-dev"),
    _choice("--flash-attn", "-fa", choices=("on", "off", "auto"), field="flash_attn_type"),
    _switch("--no-flash-attn"),
    _choice("--cache-type-k", "-ctk", choices=_CACHE_TYPES, field="cache_type_k"),
    _choice("--cache-type-v", "-ctv", choices=_CACHE_TYPES, field="cache_type_v"),
    _switch("--kv-offload", field=DEFAULT_ALREADY),
    _switch("--no-kv-offload", "-nkvo", field="no_kv_offload=true"),
    _switch("--op-offload", field=DEFAULT_ALREADY),
    _switch("--no-op-offload", field="no_op_offload=true"),
    _switch("--repack", field=DEFAULT_ALREADY),
    _switch("--no-repack", "-nr", field="no_extra_bufts=true"),
    _switch("--no-host", field="no_host=true"),
    _switch("--mlock", field="load_mode=MLOCK"),
    _switch("--mmap", field=DEFAULT_ALREADY),
    _switch("--no-mmap", field="load_mode=NONE"),
    _choice("--load-mode", "-lm", choices=("auto", "none", "mmap", "mlock", "mmap+mlock"), field="load_mode"),
    _switch("--cpu-moe", "-cmoe"),
    _integer("--n-cpu-moe", "-ncmoe", low=0),
    _text("--override-tensor", "-ot"),
    _text("--override-kv"),
    _switch("--check-tensors", field="check_tensors=true"),
    _choice("--numa", choices=("distribute", "isolate", "numactl"), field="numa"),
    _choice("--fit", choices=("on", "off"), field="fit_params"),
    _integer("--prio", low=-1, high=3),
    _integer("--poll", low=0, high=100),
)

_PICTURES = (
    _integer("--image-min-tokens", field="image_min_tokens", low=1, high=65536),
    _integer("--image-max-tokens", field="image_max_tokens", low=1, high=65536),
    _integer("--visual-max-image-size", low=0),
    _integer("--visual-max-image-cache", low=0),
    _switch("--no-mmproj", field="no_mmproj=true"),
    _switch("--mmproj-offload", field=DEFAULT_ALREADY),
    _switch("--no-mmproj-offload", field="mmproj_use_gpu=false"),
)

_TEXT = (
    _switch("--jinja", field="use_jinja=true"),
    _switch("--no-jinja", field="use_jinja=false"),
    _text("--chat-template", field="chat_template"),
    _choice("--reasoning-format", choices=("none", "auto", "deepseek", "deepseek-legacy"), field="reasoning_format"),
    _integer("--reasoning-budget", field="sampling.reasoning_budget_tokens", low=-1),
    _integer("--seed", "-s", field="sampling.seed", low=-1, high=2**32 - 1),
    _number("--temp", "--temperature", field="sampling.temp"),
    _integer("--top-k", field="sampling.top_k", low=0),
    _number("--top-p", field="sampling.top_p"),
    _number("--min-p", field="sampling.min_p"),
    _number("--typical", field="sampling.typ_p"),
    _integer("--repeat-last-n", field="sampling.penalty_last_n", low=-1),
    _number("--repeat-penalty", field="sampling.penalty_repeat"),
    _number("--presence-penalty", field="sampling.penalty_present"),
    _number("--frequency-penalty", field="sampling.penalty_freq"),
    _switch("--ignore-eos", field="sampling.ignore_eos=true"),
    _choice("--rope-scaling", choices=("none", "linear", "yarn"), field="rope_scaling_type"),
    _number("--rope-scale"),
    _number("--rope-freq-base", field="rope_freq_base"),
    _number("--rope-freq-scale", field="rope_freq_scale"),
    _integer("--yarn-orig-ctx", field="yarn_orig_ctx", low=0),
    _number("--yarn-ext-factor", field="yarn_ext_factor"),
    _number("--yarn-attn-factor", field="yarn_attn_factor"),
    _number("--yarn-beta-slow", field="yarn_beta_slow"),
    _number("--yarn-beta-fast", field="yarn_beta_fast"),
)


def _managed(name: str, *others: str, kind: Kind = Kind.TEXT, field: str = "") -> Flag:
    return Flag(name, others, kind, Policy.MANAGED, field)


MANAGED = (
    _managed("--model", "-m", field="model.path"),
    _managed("--mmproj", "-mm", field="mmproj.path"),
    _managed("--alias", "-a", field="model_alias"),
    _managed("--host", field="hostnames"),
    _managed("--port", kind=Kind.INTEGER, field="port"),
    _managed("--log-verbosity", "-lv", "--verbosity", kind=Kind.INTEGER, field="verbosity"),
    _managed("--api-key"),
    _managed("--api-key-file", field="api_keys"),
    _managed("--reuse-port", kind=Kind.SWITCH),
)

_DENIED_VALUES = (
    "--rpc --rpc-server-host --rpc-server-port --rpc-server-main-gpu --rpc-server-reserve-memory --tools "
    "--tools-runtime --mcp-servers-config --mcp-servers-json --slot-save-path --path --media-path --log-file "
    "--log-prompts-dir --logits-output-dir --models-dir --models-preset --models-max --model-url --hf-repo --hf-file "
    "--hf-repo-v --hf-file-v --hf-repo-draft --hf-token --mmproj-url --docker-repo --ssl-key-file --ssl-cert-file "
    "--api-prefix --cors-origins --cors-methods --cors-headers --lora --lora-scaled --control-vector "
    "--control-vector-scaled --control-vector-layer-range --grammar --grammar-file --json-schema "
    "--json-schema-file --chat-template-file --chat-template-kwargs --prompt-cache --lookup-cache-static "
    "--lookup-cache-dynamic --model-draft --model-vocoder --file --binary-file --in-file --webui-config "
    "--webui-config-file --ui-config --ui-config-file --server-base --images-model --video-ffmpeg-bin-dir"
)
_DENIED_SWITCHES = (
    "--agent --ui-mcp-proxy --webui-mcp-proxy --props --slots --no-slots --models-autoload --no-models-autoload "
    "--cors-credentials --verbose --verbose-prompt --log-disable --rpc-server-cache --images --offline"
)
_DENIED_SHORT = {
    "--rpc": (),
    "--model-url": ("-mu",),
    "--hf-repo": ("-hf", "-hfr"),
    "--hf-file": ("-hff",),
    "--hf-token": ("-hft",),
    "--mmproj-url": ("-mmu",),
    "--docker-repo": ("-dr",),
    "--model-draft": ("-md",),
    "--hf-repo-draft": ("-hfd",),
    "--json-schema": ("-j",),
    "--json-schema-file": ("-jf",),
    "--lookup-cache-static": ("-lcs",),
    "--lookup-cache-dynamic": ("-lcd",),
    "--file": ("-f",),
    "--binary-file": ("-bf",),
    "--verbose": ("-v", "--log-verbose"),
}
DENIED = tuple(
    Flag(name, _DENIED_SHORT.get(name, ()), kind, Policy.DENIED)
    for names, kind in ((_DENIED_VALUES, Kind.TEXT), (_DENIED_SWITCHES, Kind.SWITCH))
    for name in names.split()
)

ALLOWED = (*_SERVING, *_MEMORY, *_PICTURES, *_TEXT)
LLAMA_FLAGS = FlagTable((*ALLOWED, *MANAGED, *DENIED))
