"""The words of explanations about placement and about changes that make a model fit, by the code's value."""

FIT_TEXTS: dict[str, tuple[str, str]] = {
    "parallel_fewer": (
        "{parallel} instead of {usual} requests at a time: that is what fits.",
        "同时处理 {parallel} 个请求（通常为 {usual} 个），以便放入可用内存。",
    ),
    "gpu_layers_some": (
        "{layers} of {all} layers fit on the GPU; the others run on the CPU, which is slower.",
        "GPU 只能容纳 {all} 层中的 {layers} 层，其余层在 CPU 上运行，速度较慢。",
    ),
    "split_by_layers": (
        "Each of {gpus} GPUs holds some of the layers.",
        "将各层分布到 {gpus} 个 GPU 上。",
    ),
    "layers_by_gpu": (
        "Layers on each GPU, the output counted as the last one, so that all GPUs need about as much memory.",
        "各 GPU 上的层数（输出层计为最后一层），使各 GPU 占用的显存大致相同。",
    ),
    "template_known": (
        "How a conversation is written: the files do not say, and models of this kind were trained so.",
        "对话的书写格式：文件中没有说明，这类模型训练时采用此格式。",
    ),
    "template_none": (
        "The file does not say how a conversation is written; the engine then takes this.",
        "文件中没有说明对话的书写格式，引擎因此采用此格式。",
    ),
    "prompt_cache_sized": (
        "Memory for finished prompts: as much again as for those that are being answered.",
        "用于保留已完成提示词的内存，与正在处理的提示词所占用的缓存相同。",
    ),
    "alternative_wishes": (
        "It fits on a machine or card that the placement wishes leave out.",
        "取消放置要求后，可放入其他机器或显卡。",
    ),
    "alternative_cpu": (
        "It runs on the CPU at once, with slow answers.",
        "可立即在 CPU 上运行，但回答较慢。",
    ),
    "alternative_sequences": (
        "It fits with {count} requests at a time.",
        "将同时处理的请求数设为 {count} 即可放入。",
    ),
    "alternative_images": (
        "It fits with {count} pictures in a prompt.",
        "将每次请求的图片数设为 {count} 即可放入。",
    ),
    "alternative_image_tokens": (
        "It fits with pictures of at most {count} tokens.",
        "将每张图片限制为最多 {count} 个词元即可放入。",
    ),
    "alternative_cache": (
        "It fits with keys and values kept as {type}, in half the memory.",
        "将键值缓存改为 {type}（占用减半）即可放入。",
    ),
    "alternative_eager": (
        "It fits without recorded GPU work (--enforce-eager); answers come somewhat slower.",
        "关闭 CUDA 图（--enforce-eager）即可放入，回答速度略慢。",
    ),
    "alternative_fp8": (
        "It fits with weights in 8 bits (fp8), made while they are loaded.",
        "加载时将权重转换为 8 位（fp8）即可放入。",
    ),
    "alternative_fp8_context": (
        "It fits with weights in 8 bits (fp8) and a context of {tokens} tokens.",
        "将权重转换为 8 位（fp8）并将上下文设为 {tokens} 个词元即可放入。",
    ),
    "alternative_quantization": (
        "It fits as {name}.",
        "改用 {name} 即可放入。",
    ),
    "alternative_quantization_context": (
        "It fits as {name} with a context of {tokens} tokens.",
        "改用 {name} 并将上下文设为 {tokens} 个词元即可放入。",
    ),
    "alternative_neighbour": (
        "It fits beside {name} once that is started again with less: {parameters}",
        "将 {name} 改用更少的内存重新启动后即可放入：{parameters}",
    ),
    "alternative_replicas": (
        "It fits beside {name} once that has fewer replicas: {count}.",
        "将 {name} 缩减为 {count} 个副本后即可放入。",
    ),
    "alternative_stop": (
        "It fits once {names} is stopped.",
        "停止 {names} 后即可放入。",
    ),
    "alternative_card": (
        "It fits as it is on an empty {card}.",
        "独占一块 {card} 时无需更改即可放入。",
    ),
}
