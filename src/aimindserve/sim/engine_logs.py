"""Log lines as the real programs write them: llama.cpp b11434 and vLLM 0.32. Pure.

Seen on a CPU machine, or read in source."""
# ruff: noqa: E501 - log lines stay as long as they are

from collections.abc import Sequence

from aimindserve.sim.engine_options import VLLM, Options

_NO_MEMORY_GIB = "4.00 GiB"


def start_lines(options: Options) -> list[str]:
    """From the start to the moment at which loading begins."""
    if options.flavour == VLLM:
        return [
            _vllm("utils.py:325", "vLLM API server version 0.32.0"),
            _vllm("utils.py:261", f"non-default args: {{'model': '{options.model}', 'port': {options.port}}}"),
            _vllm("model.py:547", "Resolved architecture: Qwen2VLForConditionalGeneration"),
            _vllm("model.py:1510", f"Using max model len {options.context}"),
            _vllm("core.py:93", "Initializing a V1 LLM engine (v0.32.0)", "EngineCore"),
            _vllm("gpu_model_runner.py:3042", f"Starting to load model {options.model}...", "EngineCore"),
        ]
    return [
        "0.00.000.412 I srv          init: initializing ...",
        "0.00.002.201 I srv          init: build_info: b11434-0123abc",
        "0.00.003.006 I srv          init: loading model",
        f"0.00.003.122 I srv    load_model: loading model '{options.model}'",
    ]


def ready_lines(options: Options) -> list[str]:
    """From loaded weights to an open port."""
    address = f"http://{options.host}:{options.port}"
    if options.flavour == VLLM:
        return [
            _vllm("default_loader.py:314", "Loading weights took 1.52 seconds", "EngineCore"),
            _vllm("gpu_model_runner.py:5150", "Model loading took 15.51 GiB memory and 2.4 seconds", "EngineCore"),
            _vllm("gpu_worker.py:760", "Available KV cache memory: 18.23 GiB", "EngineCore"),
            _vllm(
                "kv_cache_utils.py:2327", f"GPU KV cache size: 341,312 tokens, {_concurrency(options)}", "EngineCore"
            ),
            _vllm("gpu_model_runner.py:6582", "Graph capturing finished in 9 secs, took 0.64 GiB", "EngineCore"),
            _vllm("core.py:210", "init engine (profile, create kv cache, warmup model) took 9.13 s", "EngineCore"),
            _vllm("api_server.py:1912", f"Starting vLLM API server 0 on {address}"),
            "(APIServer pid=1) INFO:     Application startup complete.",
        ]
    lines = [*_buffer_lines(options), "0.00.025.187 I cmn          init: llama threadpool init, n_threads = 1"]
    if options.projector:
        lines += _sight_lines()
        lines.append(f"0.00.031.433 I srv    load_model: loaded multimodal model, '{options.projector}'")
    context = f"n_slots = 1, n_ctx_slot = {options.context}, kv_unified = 'false'"
    return [
        *lines,
        f"0.00.032.947 I srv    load_model: initializing, {context}",
        "0.00.034.868 I srv          init: model loaded",
        f"0.00.034.884 I srv          init: listening on {address}",
    ]


def _concurrency(options: Options) -> str:
    return f"Maximum concurrency for {options.context:,} tokens per request: {341_312 / options.context:.2f}x"


def _buffer_lines(options: Options) -> list[str]:
    """As at verbosity 4, for a model with 4 layers of 2 heads of 64 elements on the CPU."""
    cache = options.context * 4 * 2 * 2 * 64 * 2 / (1 << 20)
    return [
        "0.00.012.687 I llama_model_loader: loaded meta data with 24 key-value pairs and 50 tensors (version GGUF V3)",
        "0.00.012.700 I load_tensors:   CPU_Mapped model buffer size =     3.47 MiB",
        "0.00.012.868 I llama_context: constructing llama_context",
        "0.00.012.888 I llama_context:        CPU  output buffer size =     0.01 MiB",
        f"0.00.012.924 I llama_kv_cache:        CPU KV buffer size = {cache:8.2f} MiB",
        "0.00.013.175 I sched_reserve:        CPU compute buffer size =    11.02 MiB",
        "0.00.013.205 I cmn  common_init_: warming up the model with an empty run - please wait ... (--no-warmup to disable)",
    ]


def _sight_lines() -> list[str]:
    return [
        "0.00.025.207 I clip_ctx: CLIP using CPU backend",
        "0.00.025.465 I load_hparams: model size:         1.80 MiB",
        "0.00.030.592 I reserve_compute_meta:        CPU compute buffer size =    35.65 MiB",
    ]


def request_lines(options: Options, number: int, prompt: int, answered: int) -> list[str]:
    """After an answer."""
    if options.flavour == VLLM:
        return ['(APIServer pid=1) INFO:     127.0.0.1:40000 - "POST /v1/chat/completions HTTP/1.1" 200 OK']
    head = f"0.00.902.632 I slot print_timing: id  0 | task {number} |"
    return [
        f"0.00.895.544 I slot launch_slot_: id  0 | task {number} | processing task, is_child = 0",
        f"{head} prompt eval time =       2.16 ms / {prompt:5} tokens (    0.18 ms per token,  5563.28 tokens per second)",
        f"{head}        eval time =       4.90 ms / {answered:5} tokens (    0.41 ms per token,  2450.98 tokens per second)",
        f"0.00.902.833 I slot      release: id  0 | task {number} | stop processing: n_tokens = {prompt + answered}",
    ]


def failure_lines(options: Options, what: str) -> list[str]:
    """Before an end of the kind ``what`` (one of ``START_FAILURES``), at the start or at a request."""
    return _VLLM_FAILURES[what](options) if options.flavour == VLLM else _LLAMA_FAILURES[what](options)


def missing_file_lines(path: str) -> list[str]:
    """llama.cpp, when its model file is not there."""
    return _load_failed(path, f"gguf_init_from_file: failed to open GGUF file '{path}' (No such file or directory)")


def _vllm(place: str, text: str, process: str = "APIServer") -> str:
    return f"({process} pid=1) INFO 11-24 12:00:00 [{place}] {text}"


def _load_failed(path: str, cause: str) -> list[str]:
    return [
        f"0.00.004.384 E {cause}",
        "0.00.005.397 E llama_model_load_from_file_impl: failed to load model",
        f"0.00.006.042 E cmn  common_init_: failed to load model '{path}'",
        f"0.00.006.170 E srv    load_model: failed to load model, '{path}'",
        "0.00.006.411 E srv          init: exiting due to model loading error",
    ]


def _cause(text: str) -> str:
    return f"llama_model_load: error loading model: {text}"


_CONTEXT_FAILED = "llama_init_from_model: failed to initialize the context"
_LLAMA_FAILURES = {
    "oom": lambda o: [
        "0.00.021.004 E ggml_aligned_malloc: insufficient memory (attempted to allocate 4096.00 MB)",
        "0.00.021.004 E ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 4294967296",
        "0.00.021.005 E ggml_backend_buft_alloc_buffer_n_default: failed to allocate CPU buffer of size 4294967296",
        *_load_failed(o.model, f"{_CONTEXT_FAILED}: failed to allocate buffer for kv cache"),
    ],
    "oom-weights": lambda o: [
        "0.00.021.004 E ggml_backend_cuda_buffer_type_alloc_buffer: allocating 4096.00 MiB on device 0: cudaMalloc failed: out of memory",
        *_load_failed(o.model, "llama_model_load: error loading model: unable to allocate CUDA0 buffer"),
    ],
    "oom-compute": lambda o: [
        "0.00.021.635 E ggml_gallocr_reserve_n_impl: failed to allocate CPU buffer of size 21711028256",
        "0.00.021.635 E graph_reserve: failed to allocate compute buffers",
        *_load_failed(o.model, f"{_CONTEXT_FAILED}: failed to allocate compute pp buffers"),
    ],
    "oom-vision": lambda o: [
        "0.00.025.207 I clip_ctx: CLIP using CUDA0 backend",
        "0.00.030.635 E ggml_gallocr_reserve_n_impl: failed to allocate CUDA0 buffer of size 119848569056",
        f"0.00.031.433 E srv    load_model: failed to load multimodal model, '{o.projector}'",
        "0.00.031.440 E srv          init: exiting due to model loading error",
    ],
    "oom-graphs": lambda _o: ["0.00.021.004 E CUDA error: out of memory"],
    "corrupt": lambda o: _load_failed(
        o.model,
        _cause("tensor 'blk.0.attn_q.weight' data is not within the file bounds, model is corrupted or incomplete"),
    ),
    "architecture": lambda o: _load_failed(o.model, _cause("unknown model architecture: 'novelty'")),
    "mismatch": lambda o: [
        "0.00.029.100 E mtmd_init_from_file: error: mismatch between text model (n_embd = 256) and mmproj (n_embd = 1536)",
        f"0.00.029.170 E srv    load_model: failed to load multimodal model, '{o.projector}'",
        "0.00.029.411 E srv          init: exiting due to model loading error",
    ],
    "port": lambda o: [
        f"0.00.003.001 E srv         start: couldn't bind HTTP server socket, hostname: {o.host}, port: {o.port}",
        "0.00.003.090 E srv          init: exiting due to HTTP server error",
    ],
    "illegal": lambda _o: ["Illegal instruction (core dumped)"],
    "argument": lambda _o: ["error: invalid argument: --no-such-flag"],
    "load": lambda o: _load_failed(o.model, _cause("mmap failed: Resource temporarily unavailable")),
}


def _trace(error: str, process: str = "EngineCore") -> list[str]:
    head = f"({process} pid=1) ERROR 11-24 12:00:00 [core.py:779]"
    return [
        f"{head} EngineCore failed to start.",
        f"{head} Traceback (most recent call last):",
        f"{head} {error}",
        "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
    ]


_NO_MEMORY = (
    f"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {_NO_MEMORY_GIB}. GPU 0 has a total capacity of "
    "79.11 GiB of which 1.20 GiB is free."
)
_LOADED = _vllm("gpu_model_runner.py:5150", "Model loading took 15.51 GiB memory and 2.4 seconds", "EngineCore")
_CACHE = _vllm("gpu_worker.py:760", "Available KV cache memory: 18.23 GiB", "EngineCore")
_TOKENS = _vllm("kv_cache_utils.py:2327", "GPU KV cache size: 341,312 tokens, Maximum concurrency 10.42x", "EngineCore")


def _step(*lines: str, calls: tuple[str, ...]) -> list[str]:
    """Memory runs out in the step that the trace names."""
    head = "(EngineCore pid=1) ERROR 11-24 12:00:00 [core.py:779]"
    return [*lines, *(f'{head}   File "vllm/v1/worker/x.py", line 1, in {call}' for call in calls), *_trace(_NO_MEMORY)]


_VLLM_FAILURES = {
    "oom": lambda _o: _step(_LOADED, _CACHE, calls=("initialize_from_config", "initialize_kv_cache_tensors")),
    "oom-weights": lambda _o: _step(calls=("load_model", "create_weights")),
    "oom-compute": lambda _o: _step(_LOADED, calls=("_initialize_kv_caches", "profile_run", "_dummy_run")),
    "oom-vision": lambda _o: _step(_LOADED, calls=("_initialize_kv_caches", "profile_run", "embed_multimodal")),
    "oom-graphs": lambda _o: _step(_LOADED, _CACHE, _TOKENS, calls=("capture_model", "_dummy_run")),
    "corrupt": lambda _o: _trace("safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge"),
    "architecture": lambda _o: [
        "(APIServer pid=1)   Value error, Model architectures ['NovelForCausalLM'] are not supported for now."
    ],
    "mismatch": lambda _o: _trace("ValueError: Attempted to assign 256 multimodal tokens to 255 placeholders"),
    "port": lambda o: [f"OSError: [Errno 98] Address already in use: ('{o.host}', {o.port})"],
    "illegal": lambda _o: ["Illegal instruction (core dumped)"],
    "argument": lambda _o: ["vllm: error: unrecognized arguments: --no-such-flag"],
    "load": lambda _o: _trace("KeyError: 'model.layers.0.self_attn.rotary_emb.inv_freq'"),
}


def failure_code(options: Options, what: str) -> int:
    """The exit code of a failed start; negative for a signal (4: illegal instruction)."""
    if what == "illegal":
        return -4
    return 2 if what == "argument" and options.flavour == VLLM else 1


def write(lines: Sequence[str]) -> None:
    """Print lines at once, as the real programs' logs are not buffered either."""
    print("\n".join(lines), flush=True)  # noqa: T201
