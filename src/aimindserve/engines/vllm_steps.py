"""The stages of vLLM's start. Wordings of 0.6 to 0.33 (source and logs); those of the CPU build where they differ."""

from aimindserve.engines._steps import steps

VLLM_STEPS = steps(
    "program",
    ("configuration", r"vLLM (?:API )?server version|non-default args: |Resolved architecture"),
    ("engine", r"Initializing (?:a V\d|an) LLM engine"),
    ("weights", r"Starting to load model|Loading (?:safetensors|pt) checkpoint shards"),
    (
        "compile",
        (
            r"Using cache directory: .*torch\.compile|torch\.compile cache is disabled|Dynamo bytecode transform"
            r"|Start compiling function|Compiling a graph|Directly load the compiled graph"
        ),
    ),
    (
        "profile",
        (
            r"Model loading took|[Ll]oading model weights took|Loading weights took|model weights take"
            r"|Warming up model for the compilation|torch\.compile (?:takes|took|and initial profiling run took)"
        ),
    ),
    (
        "cache",
        (
            r"Available KV cache memory|Memory profiling (?:takes|took)|Warming up done|KV cache size:"
            r"|# (?:GPU|CPU|cuda|cpu) blocks|(?:reserved for|memory for|GiB for) KV [Cc]ache"
        ),
    ),
    ("graphs", r"[Cc]apturing (?:CUDA graph|cudagraph|the model for CUDA graph)"),
    ("warm_up", r"Graph capturing finished"),
    ("healthy", r"init engine \(|Starting vLLM (?:API )?server|Started server process"),
    shares=r"checkpoint shards: +\d|Capturing CUDA graphs",
)
