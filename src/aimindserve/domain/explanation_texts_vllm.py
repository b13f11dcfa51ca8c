"""The words of explanations about vLLM's parameters, in English and Chinese, by the code's value."""

VLLM_TEXTS: dict[str, tuple[str, str]] = {
    "version_yours": (
        "vLLM {version}, as you named it.",
        "vLLM {version}，由您指定。",
    ),
    "version_newest": (
        "vLLM {version}: the newest on this machine that runs the model on this device.",
        "vLLM {version}：此机器上能在该设备上运行该模型的最新版本。",
    ),
    "version_last": (
        "vLLM {version}: {architecture} was dropped after {last}, and this is the newest here that still runs it.",
        "vLLM {version}：{last} 之后的版本不再支持 {architecture}，这是此处仍支持它的最新版本。",
    ),
    "context_whole": (
        "{tokens} tokens for one request with its answer, as the model was trained.",
        "单个请求（含回答）最多 {tokens} 个词元，与模型训练时相同。",
    ),
    "context_sensible": (
        "{tokens} tokens for one request with its answer; the model could take {trained}. More costs memory.",
        "单个请求（含回答）最多 {tokens} 个词元；模型最多支持 {trained} 个，调大会占用更多内存。",
    ),
    "context_fits": (
        "{tokens} tokens for one request with its answer: the most that fits the memory here ({wished} otherwise).",
        "单个请求（含回答）最多 {tokens} 个词元：这是此处内存所能容纳的上限（否则为 {wished}）。",
    ),
    "sequences_default": (
        "Requests that are answered at the same time; more of them wait.",
        "同时处理的请求数；超出的请求会排队等待。",
    ),
    "sequences_pictures": (
        "Requests at the same time. The start tries the largest pictures of all at once, so more need much memory.",
        "同时处理的请求数。该模型启动时会为所有请求同时分配最大图片的内存，因此数值越大占用内存越多。",
    ),
    "sequences_fit": (
        "Requests that are answered at the same time: fewer than the usual {wished}, to fit the memory here.",
        "同时处理的请求数：为适应此处的内存，少于通常的 {wished}。",
    ),
    "cache_for_requests": (
        "Memory of the tokens before: {requests} requests of {tokens} tokens, or more that are shorter.",
        "键值缓存：可容纳 {requests} 个各 {tokens} 词元的请求，或更多较短的请求。",
    ),
    "share_of_device": (
        "The whole engine needs {needed} of the device's {total} at most; the rest is free for other models.",
        "整个引擎最多需要设备 {total} 中的 {needed}；其余可供其他模型使用。",
    ),
    "tensor_parallel": (
        "GPUs that the model is divided among: {gpus}.",
        "模型分布到的 GPU 数：{gpus}。",
    ),
    "dtype_as_model": (
        "As the model's files ask for ({dtype}).",
        "按模型文件的要求（{dtype}）。",
    ),
    "dtype_old_gpu": (
        "{device} has no bfloat16, so float16 is used.",
        "{device} 不支持 bfloat16，因此使用 float16。",
    ),
    "dtype_halved": (
        "The files hold 32 bits for each number; 16 answer as well in half the memory.",
        "模型文件为 32 位精度；使用 16 位可将内存减半，效果相当。",
    ),
    "eager_pictures": (
        "What this model does depends on whether there is a picture, which recorded GPU work cannot do.",
        "该模型的计算取决于是否有图片，无法使用录制的 CUDA 图。",
    ),
    "eager_cpu": (
        "Compiling for the CPU takes minutes at each start and gains little.",
        "在 CPU 上编译每次启动需要数分钟，收益甚微。",
    ),
    "eager_fits": (
        "Recorded GPU work (CUDA graphs) does not fit the memory here; answers are a little slower without.",
        "此处内存放不下 CUDA 图；不使用时回答会稍慢。",
    ),
    "images_default": (
        "Pictures in one request: up to {images}. Videos are off: they take room whether they come or not.",
        "每个请求最多 {images} 张图片。视频已关闭，因为无论是否使用都会预留内存。",
    ),
    "images_yours": (
        "You set this. Videos are off unless you give a number of them too: they take room whether they come or not.",
        "由您设置。除非同时指定视频数量，否则视频保持关闭，因为无论是否使用都会预留内存。",
    ),
    "tiles_fit": (
        "Pictures are cut into at most {tiles} tiles, so that they fit; with more, small print is read better.",
        "图片最多切分为 {tiles} 块，以便放入可用显存；块数越多，小字识别越好。",
    ),
    "pixels_fit": (
        "Larger pictures are scaled down to {pixels} pixels, to fit the memory here.",
        "为适应此处的内存，更大的图片会缩小到 {pixels} 像素。",
    ),
    "batch_default": (
        "Tokens that are worked on in one step, as the engine chooses on such a device.",
        "每步处理的词元数，与引擎在此类设备上的默认值相同。",
    ),
    "mistral_format": (
        "The model's files are in Mistral's own format.",
        "模型文件为 Mistral 自有格式。",
    ),
    "code_confirmed": (
        "The model needs code of its own ({files}); it runs once an administrator has confirmed it for this commit.",
        "该模型由其自带的 Python 代码（{files}）加载；只有管理员确认该提交的代码后才会运行。",
    ),
    "usage_told": (
        "Streams tell how many tokens they took, so that usage is counted exactly.",
        "流式回答会报告所用词元数，以便准确统计用量。",
    ),
    "no_fetching": (
        "The gateway fetches and checks pictures; the engine itself may fetch from no host.",
        "图片由网关下载并检查；引擎自身不得访问任何主机。",
    ),
    "quiet_log": (
        "A line for each request and each health check would fill the log.",
        "否则每个请求和健康检查都会写入日志。",
    ),
}
