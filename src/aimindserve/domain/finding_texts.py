"""The words of findings that are in order, by the fact's value: English, Chinese."""

FACT_TEXTS: dict[str, tuple[str, str]] = {
    "python": ("Python {version}", "Python {version}"),
    "machine": (
        "{system} on {architecture}, {cores} cores, C library {library}",
        "{system}，{architecture}，{cores} 个核心，C 库 {library}",
    ),
    "memory": ("{available} of {total} available", "共 {total}，可用 {available}"),
    "disk": ("{free} free at {path}", "{path} 剩余 {free}"),
    "clock": ("{now} UTC, kept by a time service", "{now} UTC，已与时间服务同步"),
    "data_folder": ("{path}", "数据目录：{path}"),
    "data_folder_new": ("{path} will be made at the first start", "{path} 将在首次启动时创建"),
    "permissions": ("{count} files and folders are closed to others", "{count} 个文件和目录均不对其他账户开放"),
    "nothing_left": ("nothing was left behind by a process that is gone", "没有已结束进程的残留文件"),
    "port_ours": ("aiMindServe listens on port {port}", "aiMindServe 正在监听端口 {port}"),
    "port_free": ("port {port} is free", "端口 {port} 空闲"),
    "page": ("built in", "网页已内置"),
    "database_new": ("SQLite, made at the first start", "SQLite，将在首次启动时创建"),
    "database_sqlite": ("SQLite, {size}, schema {schema}", "SQLite，{size}，结构版本 {schema}"),
    "database_postgresql": (
        "PostgreSQL {version} at {path}, schema {schema}",
        "PostgreSQL {version}，{path}，结构版本 {schema}",
    ),
    "schema_old": (
        "schema {schema} is brought to {wanted} at the next start, after a backup",
        "结构版本 {schema} 将在下次启动时升级到 {wanted}（升级前会自动备份）",
    ),
    "server": ("version {version} runs, database {database}", "版本 {version} 正在运行，数据库 {database}"),
    "server_absent": (
        "no server runs for this folder; start it with: aimindserve start",
        "该目录没有运行中的服务器；启动命令：aimindserve start",
    ),
    "device": ("{name}: {usable} of {total} for models{driver}", "{name}：{total} 中 {usable} 可用于模型{driver}"),
    "engine": ("{engine} {version} ({flavour}, {path})", "引擎 {engine} {version}（{flavour}，{path}）"),
    "sockets": (
        "{count} engines run, and all listen on this machine only",
        "{count} 个引擎在运行，均只监听本机地址",
    ),
    "hub_answers": ("{hub} answers in {milliseconds} ms", "{hub} 响应正常（{milliseconds} 毫秒）"),
    "hub_not_asked": (
        "not asked; `aimindserve doctor --hub` asks",
        "未检查；使用 `aimindserve doctor --hub` 检查",
    ),
    "hub_offline": ("offline is set: no hub is asked", "已设为离线：不访问任何模型站点"),
}
