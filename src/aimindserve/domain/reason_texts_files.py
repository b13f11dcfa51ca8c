"""The words of reasons about model files on nodes: downloads and the store."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

FILES_TEXTS: dict[ReasonCode, ReasonText] = {
    _C.DOWNLOAD_INTERRUPTED: text(
        "The download of {file} was interrupted: {detail}.",
        "It goes on by itself from where it stopped. If this comes back, check the network, the proxy and the mirror.",
        "{file} 的下载中断：{detail}。",
        "系统会自动从断点继续。若反复出现，请检查网络、代理和镜像设置。",
    ),
    _C.DOWNLOAD_REFUSED: text(
        "The hub refused {file} (HTTP {status}).",
        "Accept the licence on the model's page, store a token of an account that may read it under Settings, "
        "then try again.",
        "模型站点拒绝提供 {file}（HTTP {status}）。",
        "请在模型页面接受许可协议，并在“设置”中保存有权限的账户令牌，然后重试。",
    ),
    _C.DOWNLOAD_NOT_FOUND: text(
        "The hub has no file {file} at this commit.",
        "The repository may have been renamed or removed, or the mirror is incomplete: look at its page, "
        "or choose another mirror under Settings.",
        "模型站点在该提交中没有文件 {file}。",
        "仓库可能已改名或删除，或镜像不完整：请查看其页面，或在“设置”中更换镜像。",
    ),
    _C.DOWNLOAD_DAMAGED: text(
        "{file} arrived damaged {times} times: its checksum is not the one that the hub gives.",
        "A proxy or a mirror changes the files: choose another one under Settings, then try again.",
        "{file} 已 {times} 次下载后校验失败：校验和与模型站点给出的不一致。",
        "代理或镜像改动了文件：请在“设置”中更换，然后重试。",
    ),
    _C.DOWNLOAD_NO_SPACE: text(
        "{needed} are needed on the disk that holds {path}, {free} are free.",
        "Delete models that are not used (Model Files), or move the data folder to a larger disk, then try again.",
        "存放 {path} 的磁盘需要 {needed}，仅剩 {free}。",
        "请删除不用的模型（模型文件页面），或将数据目录移到更大的磁盘，然后重试。",
    ),
    _C.DOWNLOAD_OFFLINE: text(
        "{file} is not on this machine and hubs may not be asked (offline).",
        "Switch off “offline” under Settings, or bring the files: aimindserve files import FOLDER",
        "本机没有 {file}，且处于离线模式，不能访问模型站点。",
        "请在“设置”中关闭离线模式，或导入文件：aimindserve files import FOLDER",
    ),
    _C.DOWNLOAD_PAUSED: text(
        "The download is paused; what is there is kept.",
        "Resume it on the page Model Files.",
        "下载已暂停，已下载的部分会保留。",
        "请在“模型文件”页面继续下载。",
    ),
    _C.IMPORT_SOURCE_UNKNOWN: text(
        "Nothing in {path} tells which repository its files come from.",
        "Name it: aimindserve files import {path} --source hf://OWNER/NAME. To use the files where they lie instead: "
        "aimindserve deploy {path}",
        "{path} 中没有信息说明这些文件来自哪个仓库。",
        "请指明来源：aimindserve files import {path} --source hf://OWNER/NAME。"
        "若要直接使用原位置的文件：aimindserve deploy {path}",
    ),
    _C.IMPORT_SEVERAL: text(
        "{path} holds several models: {there}.",
        "Import them one by one, each by its own folder.",
        "{path} 中有多个模型：{there}。",
        "请分别指定各自的文件夹，逐个导入。",
    ),
    _C.IMPORT_MISSING: text(
        "{file} is not in {folder}, and cannot be fetched from the hub.",
        "Copy the missing file there and import again, or switch off “offline” under Settings.",
        "{folder} 中没有 {file}，也无法从模型站点下载。",
        "请将缺少的文件复制到该文件夹后重新导入，或在“设置”中关闭离线模式。",
    ),
    _C.IMPORT_DIFFERS: text(
        "{path} is damaged, or of another version than the one that is asked for: its checksum differs.",
        "Copy it again; or name the commit that it was taken from: --source hf://OWNER/NAME@COMMIT.",
        "{path} 已损坏，或与所需版本不同：校验和不一致。",
        "请重新复制该文件，或指明其所属提交：--source hf://OWNER/NAME@COMMIT。",
    ),
    _C.FILES_IN_USE: text(
        "The files of {name} are needed by: {deployments}.",
        "Delete those deployments, or choose another model for them.",
        "{name} 的文件正被以下部署使用：{deployments}。",
        "请先删除这些部署，或为其更换模型。",
    ),
    _C.FILE_NAME_UNSAFE: text(
        "The repository holds a file with an unsafe name: {file}.",
        "Do not use this repository; choose another publisher.",
        "仓库中含有不安全的文件名：{file}。",
        "请勿使用该仓库，改用其他发布者。",
    ),
}
