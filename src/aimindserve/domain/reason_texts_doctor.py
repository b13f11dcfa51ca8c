"""The words of reasons that a look at the machine finds."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

_MACHINE = {
    _C.PYTHON_TOO_OLD: text(
        "Python {version} is too old.",
        "Install Python 3.11 or newer, and aiMindServe in it.",
        "Python {version} 版本过低。",
        "请安装 Python 3.11 或更新的版本，并在其中安装 aiMindServe。",
    ),
    _C.MEMORY_LOW: text(
        "{available} of {total} memory is available.",
        "Models on the CPU need about 4 GiB for 2 billion parameters: close programs, or use a GPU.",
        "共 {total} 内存，仅 {available} 可用。",
        "CPU 上运行 20 亿参数的模型约需 4 GiB：请关闭其他程序，或使用 GPU。",
    ),
    _C.DISK_LOW: text(
        "Only {free} is free at {path}.",
        "Free some space, or choose a folder on a larger disk with --data-dir.",
        "{path} 仅剩 {free}。",
        "请释放空间，或用 --data-dir 选择更大磁盘上的目录。",
    ),
    _C.INODES_LOW: text(
        "The disk of {path} has room for {free} more files only.",
        "Delete small files that are not used, or choose a folder on another disk with --data-dir.",
        "{path} 所在磁盘只能再容纳 {free} 个文件。",
        "请删除不用的小文件，或用 --data-dir 选择其他磁盘上的目录。",
    ),
    _C.CLOCK_WRONG: text(
        "The clock says {now}, which cannot be.",
        "Set the clock and switch on a time service: timedatectl set-ntp true",
        "系统时间为 {now}，明显有误。",
        "请校正时间并启用时间同步：timedatectl set-ntp true",
    ),
    _C.CLOCK_UNSYNCHRONISED: text(
        "The clock ({now} UTC) is not kept by a time service.",
        "Expiry of keys and sessions goes by it. Switch one on: timedatectl set-ntp true (in a container: on its host)",
        "系统时间（{now} UTC）未与时间服务同步。",
        "密钥和会话的有效期依赖时间。请启用同步：timedatectl set-ntp true（容器中请在宿主机上设置）",
    ),
}

_DATA = {
    _C.DATA_DIR_UNWRITABLE: text(
        "{path} is not writable for this account.",
        "Choose another folder with --data-dir, or run as an account that may write there.",
        "当前账户无权写入 {path}。",
        "请用 --data-dir 选择其他目录，或以有写权限的账户运行。",
    ),
    _C.FILE_OF_OTHER: text(
        "{path} belongs to {owner}, not to the account of the data folder.",
        "Run the command as that account (sudo -u {owner}), or give it back with chown.",
        "{path} 属于 {owner}，而不是数据目录的账户。",
        "请以该账户执行命令（sudo -u {owner}），或用 chown 归还所有权。",
    ),
    _C.OPEN_TO_OTHERS: text(
        "{path} is open to other accounts (mode {mode}).",
        "Close it: chmod {wanted} {path}, or: aimindserve doctor --fix",
        "{path} 对其他账户开放（权限 {mode}）。",
        "请收紧权限：chmod {wanted} {path}，或执行：aimindserve doctor --fix",
    ),
    _C.SECRET_IS_LINK: text(
        "{path} is a link where a file of ours belongs.",
        "Look who put it there, remove it, and restore the file from a backup.",
        "{path} 是一个链接，此处应为普通文件。",
        "请查明来源并删除，然后从备份恢复该文件。",
    ),
    _C.FOLDER_MISSING: text(
        "The folder {path} is missing.",
        "The next start makes it, or: aimindserve doctor --fix",
        "缺少目录 {path}。",
        "下次启动会自动创建，或执行：aimindserve doctor --fix",
    ),
    _C.LEFT_OVER: text(
        "{path} was left behind by a process that is gone.",
        "It does no harm. To remove it: aimindserve doctor --fix",
        "{path} 是已结束的进程留下的文件。",
        "它没有影响。如需清理：aimindserve doctor --fix",
    ),
    _C.RESTORE_UNFINISHED: text(
        "A restore into {path} was interrupted.",
        "Start aiMindServe: it finishes the restore first.",
        "{path} 的恢复操作被中断。",
        "请启动 aiMindServe，它会先完成恢复。",
    ),
    _C.PAGE_MISSING: text(
        "The web page is not built in.",
        "In a clone run: make ui. Else install aiMindServe again.",
        "未内置网页。",
        "在源码目录中执行：make ui；否则请重新安装 aiMindServe。",
    ),
    _C.DATABASE_DRIVER_MISSING: text(
        "The driver for PostgreSQL is missing.",
        "Install it: pip install 'aimindserve[postgres]'",
        "缺少 PostgreSQL 驱动。",
        "请安装：pip install 'aimindserve[postgres]'",
    ),
}

_NETWORK = {
    _C.PUBLIC_PORT_TAKEN: text(
        "Port {port} is already taken.",
        "Stop the program that holds it or choose another port: aimindserve start --port {other}",
        "端口 {port} 已被占用。",
        "请停止占用该端口的程序，或换用其他端口：aimindserve start --port {other}",
    ),
    _C.PUBLIC_PORT_TAKEN_BY: text(
        "Port {port} is already taken by process {holder}.",
        "Stop that program or choose another port: aimindserve start --port {other}",
        "端口 {port} 已被进程 {holder} 占用。",
        "请停止该程序，或换用其他端口：aimindserve start --port {other}",
    ),
    _C.PORT_FORBIDDEN: text(
        "This account may not listen on port {port}.",
        "Ports below 1024 need root: choose a higher one, for example --port 8080.",
        "当前账户不能监听端口 {port}。",
        "1024 以下的端口需要 root：请选择更高的端口，例如 --port 8080。",
    ),
    _C.HOST_UNKNOWN: text(
        "{host} is no address of this machine.",
        "Use 0.0.0.0 for all addresses, 127.0.0.1 for this machine only, or an address of this machine.",
        "{host} 不是本机的地址。",
        "所有地址用 0.0.0.0，仅本机用 127.0.0.1，或使用本机的某个地址。",
    ),
    _C.LISTEN_FAILED: text(
        "Listening on {host}:{port} failed: {detail}.",
        "Check --host and --port.",
        "无法监听 {host}:{port}：{detail}。",
        "请检查 --host 和 --port。",
    ),
    _C.SERVER_SILENT: text(
        "The server of {path} does not answer: {detail}.",
        "Look at its log ({path}/logs, or journalctl -u aimindserve), then restart it.",
        "{path} 的服务器没有响应：{detail}。",
        "请查看日志（{path}/logs 或 journalctl -u aimindserve），然后重启。",
    ),
    _C.SERVER_OTHER_VERSION: text(
        "The server that runs is version {running}; installed is {installed}.",
        "Restart it: systemctl restart aimindserve. Models go on running.",
        "正在运行的服务器版本为 {running}，已安装版本为 {installed}。",
        "请重启：systemctl restart aimindserve。模型会继续运行。",
    ),
    _C.ENGINE_EXPOSED: text(
        "An engine (process {pid}) listens on {address}, which other machines can reach.",
        "Stop its model (aimindserve ls), report this, and close the port in the firewall until then.",
        "引擎（进程 {pid}）监听在 {address}，其他机器可以访问。",
        "请停止对应模型（aimindserve ls）并反馈此问题；在此之前请用防火墙关闭该端口。",
    ),
    _C.DRIVER_BELOW_ENGINE: text(
        "The driver {driver} is too old for {engine} {version}, which was built for CUDA {cuda}.",
        "Install the NVIDIA driver {wanted} or newer, or an older version of the engine.",
        "驱动 {driver} 对 {engine} {version} 过旧（该引擎基于 CUDA {cuda} 构建）。",
        "请安装 NVIDIA 驱动 {wanted} 或更新的版本，或使用该引擎的旧版本。",
    ),
    _C.FLEET_INVALID: text(
        "The declared fleet cannot be used: {detail}.",
        "Correct the file of --declared-fleet, or leave it out.",
        "声明的硬件文件无法使用：{detail}。",
        "请修正 --declared-fleet 指定的文件，或去掉该选项。",
    ),
}

DOCTOR_TEXTS: dict[ReasonCode, ReasonText] = {**_MACHINE, **_DATA, **_NETWORK}
