"""The words of reasons about environments of engines: their installation, removal and registration."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

ENVIRONMENT_TEXTS: dict[ReasonCode, ReasonText] = {
    _C.ENVIRONMENT_UNKNOWN: text(
        "There is no recipe for {engine}.",
        "Choose one of these: {known}. An environment that you made yourself can be registered.",
        "aiMindServe 没有 {engine} 的安装方案。",
        "请从以下版本中选择：{known}。自行搭建的环境可以登记使用。",
    ),
    _C.ENVIRONMENT_OTHER_MACHINE: text(
        "{engine} is not built for machines of the kind {machine}.",
        "It is there for {machines}. Choose another version, or register an environment that you built yourself.",
        "{engine} 没有适用于 {machine} 架构的构建。",
        "它支持 {machines}。请选择其他版本，或登记自行构建的环境。",
    ),
    _C.ENVIRONMENT_NEEDS_PYTHON: text(
        "{engine} needs Python {pythons}, and this machine has none of them.",
        "Install one beside the present one (Debian, Ubuntu: apt-get install python{python}) and try again.",
        "{engine} 需要 Python {pythons}，而本机没有其中任何一个。",
        "请另行安装其中之一（Debian、Ubuntu：apt-get install python{python}），然后重试。",
    ),
    _C.ENVIRONMENT_BROKEN: text(
        "The environment {engine} could not be installed or does not start: {detail}.",
        "Read the log of the installation, then try again. What was fetched is kept.",
        "环境 {engine} 安装失败或无法启动：{detail}。",
        "请查看安装日志后重试；已下载的内容会保留。",
    ),
    _C.ENVIRONMENT_IN_USE: text(
        "{engine} is in use by {deployments}.",
        "Stop these first, or let them run on another version.",
        "{engine} 正被 {deployments} 使用。",
        "请先停止它们，或让它们改用其他版本。",
    ),
    _C.PIP_MISSING: text(
        "No pip was found on this machine, and its Python brings none.",
        "Install it (Debian, Ubuntu: apt-get install python3-venv) and try again.",
        "本机没有 pip，Python 也未自带。",
        "请先安装（Debian、Ubuntu：apt-get install python3-venv），然后重试。",
    ),
    _C.WHEEL_MISSING: text(
        "The file {file} is not in {folder}.",
        "Fetch it on a machine with internet (aimindserve bundle create FILE --engine …), or leave the folder out.",
        "{folder} 中缺少文件 {file}。",
        "请在可联网的机器上获取（aimindserve bundle create FILE --engine …），或不指定目录。",
    ),
    _C.WHEEL_DAMAGED: text(
        "The file {file} in {folder} is not the one that was locked: its checksum differs.",
        "Copy it again. Files from another source than the package index are not taken.",
        "{folder} 中的文件 {file} 与锁定的校验和不一致。",
        "请重新复制；不接受来自软件包索引以外的文件。",
    ),
    _C.WHEELS_NOT_FETCHED: text(
        "Packages of {engine} could not be fetched: {detail}.",
        "Check network, proxy and pip's index (pip config list) on the node, then try again; what has arrived is kept. "
        "Without internet: --wheels DIR, or a bundle.",
        "无法下载 {engine} 的软件包：{detail}。",
        "请检查节点的网络、代理和 pip 索引（pip config list）后重试；已下载的内容会保留。"
        "离线环境请用 --wheels DIR 或离线包。",
    ),
    _C.PROGRAM_NOT_ENGINE: text(
        "{path} does not answer to --version like {engine} does: {detail}.",
        "Name the program itself (…/bin/vllm, …/llama-server, …/llama-box), which the account of aiMindServe may run.",
        "{path} 对 --version 的回应不符合 {engine}：{detail}。",
        "请指定程序本身（…/bin/vllm、…/llama-server、…/llama-box），且 aiMindServe 的账户有权运行它。",
    ),
}
