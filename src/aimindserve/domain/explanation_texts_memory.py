"""The words of explanations about memory, in English and Chinese, by the code's value."""

MEMORY_TEXTS: dict[str, tuple[str, str]] = {
    "memory_weights_layers": (
        "The weights of {layers} of {all} layers; the last GPU holds the output too.",
        "{all} 层中 {layers} 层的权重；最后一个 GPU 还包含输出层。",
    ),
    "memory_compute_split": (
        "Working memory for one batch, and the inputs of {copies} batches that follow each other through the GPUs.",
        "单个批次的计算缓冲，以及在各 GPU 间流水处理的 {copies} 个批次的输入。",
    ),
    "memory_weights_host": (
        "Weights that stay in the machine's memory: the embedding, and layers that are not on the GPU.",
        "保留在主机内存中的权重：词嵌入以及未放入 GPU 的层。",
    ),
    "memory_weights_vllm": (
        "The language model's weights ({dtype}).",
        "语言模型权重（{dtype}）。",
    ),
    "memory_weights_divided": (
        "The language model's weights ({dtype}) on one of {gpus} GPUs.",
        "语言模型权重（{dtype}），{gpus} 个 GPU 中每个的份额。",
    ),
    "memory_weights_vision": (
        "The weights of the part that sees.",
        "视觉部分的权重。",
    ),
    "memory_weights_vision_copied": (
        "The weights of the part that sees, a whole copy on each GPU.",
        "视觉部分的权重，每个 GPU 各存一份完整副本。",
    ),
    "memory_compute_host": (
        "What goes into a batch, kept where the GPU can read it.",
        "批次输入，保存在 GPU 可读取的主机内存中。",
    ),
    "memory_vision_unknown": (
        "Working memory for pictures. The sizes of this model's vision tower are not known, so this is a wide guess.",
        "处理图片的计算缓冲。该模型视觉部分的尺寸未知，因此只能粗略估计。",
    ),
    "memory_overhead_gpu": (
        "The engine program and its state on the GPU.",
        "引擎程序及其在 GPU 上的运行环境。",
    ),
    "memory_prompt_cache": (
        "Finished prompts that are kept for later (--cache-ram): nothing at first, this much at most.",
        "为后续请求保留的提示词缓存（--cache-ram）：开始时为零，最多占用上限值。",
    ),
    "memory_activation": (
        "Working memory for a batch of {tokens} tokens. The sampler and the vision tower take turns with it.",
        "处理 {tokens} 个词元批次的计算缓冲；采样与视觉编码轮流使用同一内存。",
    ),
    "memory_sampler": (
        "Choosing the next token for {sequences} requests at a time (--max-num-seqs). Fewer need less.",
        "同时为 {sequences} 个请求选择下一个词元（--max-num-seqs）；减少请求数可降低占用。",
    ),
    "memory_encoder": (
        "Reading {pictures} pictures of {tokens} tokens at a time. Smaller or fewer pictures need less.",
        "同时读取 {pictures} 张图片（每张 {tokens} 个词元）；减小或减少图片可降低占用。",
    ),
    "memory_encoder_cache": (
        "Pictures that were read and not yet used, {tokens} tokens.",
        "已读取但尚未使用的图片，共 {tokens} 个词元。",
    ),
    "memory_graphs": (
        "Recorded GPU work for {sizes} batch sizes; --enforce-eager saves it and is slower.",
        "为 {sizes} 种批次大小录制的 CUDA 图；使用 --enforce-eager 可省去，但速度较慢。",
    ),
    "memory_non_torch": (
        "The GPU's own state, its kernels and what GPUs exchange.",
        "GPU 运行环境、内核以及 GPU 间通信缓冲。",
    ),
    "memory_server_host": (
        "The engine's server and its worker.",
        "引擎服务进程及其工作进程。",
    ),
    "memory_servers_host": (
        "The engine's server and one worker for each of {gpus} GPUs.",
        "引擎服务进程以及 {gpus} 个 GPU 各自的工作进程。",
    ),
    "memory_picture_cache": (
        "Pictures that were prepared before (--mm-processor-cache-gb).",
        "已预处理图片的缓存（--mm-processor-cache-gb）。",
    ),
    "corrected_measured": (
        "Corrected by {starts} measured starts of this engine version with this architecture: {percent} %.",
        "已按此引擎版本与此架构的 {starts} 次实测启动校正：{percent} %。",
    ),
    "corrected_failed": (
        "Raised because a start of this deployment ran out of memory here: {percent} %.",
        "此部署曾在此处启动时内存不足，因此调高：{percent} %。",
    ),
    "context_relieved": (
        "{tokens} tokens for one request: half of what ran out of memory at an earlier start.",
        "单个请求 {tokens} 个词元：先前启动时内存不足，因此减半。",
    ),
    "sequences_relieved": (
        "Requests at a time: {count}, half of what ran out of memory at an earlier start.",
        "同时处理的请求数：{count}。先前启动时内存不足，因此减半。",
    ),
    "parallel_heads": (
        "{heads} attention heads cannot be divided among {gpus} GPUs.",
        "{heads} 个注意力头无法平均分配到 {gpus} 个 GPU。",
    ),
    "parallel_width": (
        "Layers {width} wide cannot be divided among {gpus} GPUs.",
        "宽度为 {width} 的层无法平均分配到 {gpus} 个 GPU。",
    ),
    "parallel_groups": (
        "Layers {width} wide, quantised in groups of {group}, cannot be divided among {gpus} GPUs.",
        "宽度为 {width}、按 {group} 个一组量化的层无法平均分配到 {gpus} 个 GPU。",
    ),
    "parallel_tower": (
        "The vision tower's {heads} heads cannot be divided among {gpus} GPUs (--mm-encoder-tp-mode data copies it).",
        "视觉部分的 {heads} 个注意力头无法平均分配到 {gpus} 个 GPU（--mm-encoder-tp-mode data 可改为复制）。",
    ),
}
