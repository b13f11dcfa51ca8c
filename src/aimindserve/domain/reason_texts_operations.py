"""The words of reasons about backups, archives and moves to another database."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

_ARCHIVES = {
    _C.ARCHIVE_FOREIGN: text(
        "{path} is no {kind} of aiMindServe.",
        "Name a file that `aimindserve backup` or `aimindserve bundle create` wrote.",
        "{path} 不是 aiMindServe 的归档文件（{kind}）。",
        "请指定由 `aimindserve backup` 或 `aimindserve bundle create` 生成的文件。",
    ),
    _C.ARCHIVE_DAMAGED: text(
        "{path} is damaged or was cut off: {detail}.",
        "Nothing was changed. Copy the file again from where it was made, or take another one.",
        "{path} 已损坏或不完整：{detail}。",
        "未做任何更改。请从原处重新复制该文件，或使用其他文件。",
    ),
    _C.ARCHIVE_UNSAFE: text(
        "{path} holds something that does not belong there: {member}.",
        "Nothing was changed. Do not use this file: it was not written by aiMindServe, or was tampered with.",
        "{path} 中含有不应存在的内容：{member}。",
        "未做任何更改。请勿使用该文件：它并非由 aiMindServe 生成，或已被篡改。",
    ),
    _C.ARCHIVE_NEWER: text(
        "{path} was made by the newer aiMindServe {version}.",
        "Install that version or a later one, then try again.",
        "{path} 由更新的 aiMindServe {version} 生成。",
        "请安装该版本或更新的版本后重试。",
    ),
    _C.FILE_EXISTS: text(
        "There is a file {path} already.",
        "Choose another name, or replace it with --force.",
        "文件 {path} 已存在。",
        "请换一个名称，或使用 --force 覆盖。",
    ),
    _C.FILE_FAILED: text(
        "{path} cannot be used: {detail}.",
        "Check that the path exists, that this account may use it, and that the disk has room.",
        "无法使用 {path}：{detail}。",
        "请检查路径是否存在、当前账户是否有权限，以及磁盘空间是否充足。",
    ),
}

_BACKUPS = {
    _C.BACKUP_NEWER: text(
        "{path} holds a database with schema {schema} of aiMindServe {version}, which this version does not know.",
        "Install that version or a later one, then restore again.",
        "{path} 中的数据库结构为 {schema}（aiMindServe {version}），当前版本无法识别。",
        "请安装该版本或更新的版本后再恢复。",
    ),
    _C.SCHEMA_NEWER: text(
        "The database has schema {schema}, which this version of aiMindServe does not know.",
        "Install the version that wrote it, or restore a backup made before: aimindserve restore FILE --force",
        "数据库结构为 {schema}，当前版本的 aiMindServe 无法识别。",
        "请安装写入该数据的版本，或恢复之前的备份：aimindserve restore FILE --force",
    ),
    _C.NOTHING_STORED: text(
        "There is no data of aiMindServe in {path} yet.",
        "Name the data folder of the installation with --data-dir, or start it once.",
        "{path} 中还没有 aiMindServe 的数据。",
        "请用 --data-dir 指定安装所用的数据目录，或先启动一次。",
    ),
    _C.SERVER_RUNNING: text(
        "The server of {path} is running.",
        "Stop it first (systemctl stop aimindserve, or Ctrl-C where it was started); models go on running.",
        "{path} 的服务器正在运行。",
        "请先停止它（systemctl stop aimindserve，或在启动处按 Ctrl-C）；模型会继续运行。",
    ),
    _C.RESTORE_NOT_EMPTY: text(
        "There is data already: {path}.",
        "Restore into another folder with --data-dir, or replace it with --force; what is there is then moved aside, "
        "not deleted.",
        "已有数据：{path}。",
        "请用 --data-dir 恢复到其他目录，或用 --force 替换；原有数据会被移到一旁，不会删除。",
    ),
    _C.DATABASE_NOT_EMPTY: text(
        "The database {path} already holds tables of aiMindServe.",
        "Name an empty database, for example a new one: createdb aimindserve",
        "数据库 {path} 中已有 aiMindServe 的数据表。",
        "请指定一个空数据库，例如新建：createdb aimindserve",
    ),
    _C.DATABASE_DAMAGED: text(
        "The database {path} is damaged: {detail}.",
        "Stop aiMindServe and restore a backup: aimindserve restore FILE --force",
        "数据库 {path} 已损坏：{detail}。",
        "请停止 aiMindServe 并恢复备份：aimindserve restore FILE --force",
    ),
    _C.DATABASE_FAILED: text(
        "The database {path} does not work: {detail}.",
        "Check that it runs, its address, user and password, and that this user may create tables there.",
        "数据库 {path} 无法使用：{detail}。",
        "请检查数据库是否运行、地址、用户和密码是否正确，以及该用户是否可以建表。",
    ),
    _C.MOVE_NOT_POSSIBLE: text(
        "Rows move from SQLite to PostgreSQL; the database now is {path}.",
        "For any other way make a backup and restore it there: aimindserve backup FILE",
        "只支持从 SQLite 迁移到 PostgreSQL；当前数据库为 {path}。",
        "其他情况请先备份，再在目标处恢复：aimindserve backup FILE",
    ),
    _C.COPY_DIFFERS: text(
        "The rows of {table} did not arrive as they were sent; nothing was changed.",
        "Try again. If it comes back, report it with the versions of aiMindServe and PostgreSQL.",
        "{table} 的数据在复制后不一致；未做任何更改。",
        "请重试。若再次出现，请附上 aiMindServe 和 PostgreSQL 的版本反馈问题。",
    ),
}

_BUNDLES = {
    _C.BUNDLE_EMPTY: text(
        "Nothing was named that a bundle could hold.",
        "Name models (--model hf://OWNER/NAME), engines (--engine vllm==0.33.0) or a folder of wheels (--wheels DIR).",
        "没有指定要打包的内容。",
        "请指定模型（--model hf://OWNER/NAME）、引擎（--engine vllm==0.33.0）或存放 wheel 的目录（--wheels DIR）。",
    ),
    _C.BUNDLE_MODEL_MISSING: text(
        "The files of {source} are not all on this machine.",
        "Fetch them first: aimindserve files download {source} --wait",
        "{source} 的文件尚未全部在本机。",
        "请先下载：aimindserve files download {source} --wait",
    ),
    _C.BUNDLE_ENGINE_UNKNOWN: text(
        "“{engine}” is no engine with a version.",
        "Name it like vllm==0.33.0 or vllm==0.32.0+cpu; `aimindserve engine ls` shows what there is.",
        "“{engine}” 不是带版本号的引擎。",
        "请写成 vllm==0.33.0 或 vllm==0.32.0+cpu 的形式；用 `aimindserve engine ls` 查看可选项。",
    ),
    _C.BUNDLE_PYTHON_DIFFERS: text(
        "The engines in {path} are for Python {wanted} on {platform}; this is {here}.",
        "Make the bundle again with that Python on such a machine. Its models can be loaded alone: --models-only",
        "{path} 中的引擎适用于 {platform} 上的 Python {wanted}；本机为 {here}。",
        "请在相同平台上用相同版本的 Python 重新制作。也可只加载模型：--models-only",
    ),
}

OPERATIONS_TEXTS: dict[ReasonCode, ReasonText] = {**_ARCHIVES, **_BACKUPS, **_BUNDLES}
