"""The words of reasons about model files."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

_FILES = {
    _C.SOURCE_INVALID: text(
        "“{source}” is not a model source.",
        "Use an absolute path such as /models/model.gguf, or demo://tiny-vlm.",
        "“{source}”不是有效的模型来源。",
        "请填写绝对路径，例如 /models/model.gguf，或 demo://tiny-vlm。",
    ),
    _C.SOURCE_NOT_FOUND: text(
        "There is no file or folder {path} on this machine.",
        "Check the path; it must exist on the machine that runs the model, not on the one with the browser.",
        "本机上没有文件或文件夹 {path}。",
        "请检查路径；它必须位于运行模型的机器上，而不是打开浏览器的机器上。",
    ),
    _C.SOURCE_NOT_READABLE: text(
        "{path} cannot be read by the account that runs aiMindServe.",
        "Give that account read access, for example: chmod a+r {path}",
        "运行 aiMindServe 的账户无法读取 {path}。",
        "请授予该账户读取权限，例如：chmod a+r {path}",
    ),
    _C.SOURCE_NO_MODEL: text(
        "No model was found in {path}.",
        "Name a .gguf file, a folder with one, or a Hugging Face folder with config.json and .safetensors files.",
        "在 {path} 中没有找到模型。",
        "请指定 .gguf 文件、含有该文件的文件夹，或含有 config.json 和 .safetensors 的 Hugging Face 文件夹。",
    ),
    _C.SOURCE_NOT_SUPPORTED: text(
        "Sources of the kind {kind}:// cannot be deployed yet.",
        "Download the files and deploy their path, or use demo://tiny-vlm.",
        "暂不支持部署 {kind}:// 类型的来源。",
        "请先下载文件再用其路径部署，或使用 demo://tiny-vlm。",
    ),
    _C.DEMO_UNKNOWN: text(
        "There is no demo model {name}.",
        "Use demo://tiny-vlm.",
        "没有名为 {name} 的演示模型。",
        "请使用 demo://tiny-vlm。",
    ),
    _C.GGUF_CORRUPT: text(
        "{path} is damaged or incomplete: {detail}.",
        "Copy or download the file again and compare its size and checksum with the original.",
        "{path} 已损坏或不完整：{detail}。",
        "请重新复制或下载该文件，并与原文件核对大小和校验和。",
    ),
    _C.FILE_NOT_GGUF: text(
        "{path} is not a GGUF file.",
        "Name a .gguf file, or a Hugging Face folder with config.json and .safetensors files. A download page saved "
        "instead of the file also looks like this: download it again.",
        "{path} 不是 GGUF 文件。",
        "请指定 .gguf 文件，或含有 config.json 和 .safetensors 的 Hugging Face 文件夹。"
        "若误将下载页面保存为该文件，请重新下载。",
    ),
    _C.GGUF_UNSUPPORTED: text(
        "{path} uses a form of GGUF that is not supported: {detail}.",
        "Use a file converted with a current llama.cpp for ordinary (little-endian) machines, or update aiMindServe.",
        "{path} 使用了不受支持的 GGUF 形式：{detail}。",
        "请使用当前版本 llama.cpp 为普通（小端）机器转换的文件，或更新 aiMindServe。",
    ),
    _C.GGUF_NOT_A_MODEL: text(
        "{path} is a helper file ({kind}), not a language model.",
        "Name the model file itself.",
        "{path} 是辅助文件（{kind}），而不是语言模型。",
        "请指定模型文件本身。",
    ),
    _C.GGUF_IS_PROJECTOR: text(
        "{path} is a multimodal projector, not a language model.",
        "Deploy the model file beside it; the projector is then found by itself.",
        "{path} 是多模态投影器，而不是语言模型。",
        "请部署与它放在一起的模型文件；投影器会被自动找到。",
    ),
    _C.SPLIT_INCOMPLETE: text(
        "The model is split into {total} files and {missing} is not there.",
        "Put all parts into one folder and deploy the first one.",
        "模型分为 {total} 个文件，缺少 {missing}。",
        "请把所有分片放在同一文件夹中，并部署第一个分片。",
    ),
    _C.PROJECTOR_MISSING: text(
        "{path} is a vision model, but no projector (mmproj) file that fits it lies beside it.",
        "Put the model's mmproj-*.gguf into the same folder, then try again.",
        "{path} 是视觉模型，但旁边没有与之匹配的投影器（mmproj）文件。",
        "请把该模型的 mmproj-*.gguf 放入同一文件夹后重试。",
    ),
    _C.PROJECTOR_MISMATCH: text(
        "The projector {projector} does not belong to {path}: width {have} instead of {want}.",
        "Put the projector that was published with this model into the same folder.",
        "投影器 {projector} 与 {path} 不匹配：其输出宽度为 {have}，而模型需要 {want}。",
        "请把与该模型一同发布的投影器放入同一文件夹。",
    ),
    _C.CONFIG_INVALID: text(
        "{path} is not a usable model configuration: {detail}.",
        "Copy or download the model's folder again.",
        "{path} 不是可用的模型配置：{detail}。",
        "请重新复制或下载整个模型文件夹。",
    ),
    _C.SAFETENSORS_CORRUPT: text(
        "{path} is damaged or incomplete: {detail}.",
        "Copy or download the file again and compare its size and checksum with the original.",
        "{path} 已损坏或不完整：{detail}。",
        "请重新复制或下载该文件，并与原文件核对大小和校验和。",
    ),
    _C.FILE_CHANGED: text(
        "{path} has changed or vanished since it was deployed.",
        "Restore the file, or edit the deployment so that it is read again.",
        "{path} 在部署之后被修改或删除。",
        "请恢复该文件，或编辑部署以重新读取。",
    ),
}

MODEL_TEXTS: dict[ReasonCode, ReasonText] = _FILES
