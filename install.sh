#!/bin/sh
# Installs, upgrades and removes aiMindServe. `sh install.sh --help` says how.
#
# What lies where, as root (an ordinary user's is below the home folder):
#   /opt/aimindserve/versions/*    an environment for each version; the link `current` leads to the one in use
#   /etc/aimindserve/config.yaml   settings
#   /var/lib/aimindserve           everything that is kept
#
# POSIX sh. Everything is in functions and the last line calls main: a download that was cut short does nothing.
set -eu

READY_SECONDS=${AIMINDSERVE_READY_SECONDS:-90} # for a start to answer; an upgrade that takes longer is rolled back
OLDEST_GLIBC_MINOR=28   # glibc 2.28: what the packages are built for
DISK_NEEDED_MB=600      # environment, and room for the next one beside it
DATA_WANTED_GB=20       # models are large
ACTION=install VERSION='' WHEEL='' BUNDLE='' PYTHON='' PREFIX='' EXTRAS='' DRY_RUN=no SYSTEMD=auto YES=no PURGE=no
SETTINGS='' HUB_TOKEN='' MODELSCOPE_TOKEN='' TOKEN_WAS_SHOWN=no
WORK='' SWITCHING=no POLLER='' LAUNCHED=''
STARTED=$(date +%s)

# ---- talking -------------------------------------------------------------------------------------------------------

# say ENGLISH CHINESE [VALUE…]: a line in the person's language. The texts are printf formats.
say() {
    say_text=$1
    if is_chinese; then say_text=$2; fi
    shift 2
    # shellcheck disable=SC2059  # the formats are ours
    printf "$say_text\n" "$@"
}

is_chinese() {
    case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in zh* | ZH*) return 0 ;; *) return 1 ;; esac
}

warn() { say "$@" >&2; }

# die ENGLISH CHINESE [VALUE…]: what is wrong and what to do; ends with 1.
die() {
    say "$@" >&2
    exit 1
}

misused() {
    say "$@" >&2
    exit 2
}

usage() {
    if is_chinese; then
        cat <<'TEXT'
用法：sh install.sh [安装选项] [aimindserve start 的设置]

再次运行即升级：先备份数据库，新版本不能应答时自动回退。
以 root 运行：安装到 /opt/aimindserve，系统服务，端口 80；普通用户：安装到家目录，用户服务，端口 8080。

  --huggingface-token T        Hugging Face 令牌；更好的方式：环境变量 HF_TOKEN、
                               --huggingface-token-file 文件，或用 - 表示输入
  --version V                  安装这个版本
  --offline-bundle 路径        只用这个文件夹或 tar 包中的 wheel，不访问网络
  --wheel 文件                 安装这个 wheel，依赖按锁定的哈希从软件包索引下载
  --with 列表                  附加组件：llama-cpp（默认）、fast、postgres；none 表示都不要
  --python 路径                使用这个 Python（3.11 或更新）
  --prefix 目录                程序目录
  --no-systemd                 不建立服务，只在后台启动；--start、--stop 启动和停止它
  --dry-run                    只检查并说明会做什么
  --uninstall [--purge] [--yes]  移除；--purge 连同数据与设置，--yes 不再询问

其他选项作为设置写入 config.yaml，例如 --port 9000 --data-dir /data/aimindserve。
TEXT
    else
        cat <<'TEXT'
Usage: sh install.sh [options of the installer] [settings of `aimindserve start`]

Run it again to upgrade: the database is backed up, and a version that does not answer is rolled back.
As root: /opt/aimindserve, a system service, port 80. As an ordinary user: the home folder, a user service, port 8080.

  --huggingface-token T        token of Hugging Face; better: HF_TOKEN in the environment,
                               --huggingface-token-file FILE, or - to type it
  --version V                  install this version
  --offline-bundle PATH        take wheels from this folder or tar archive only; no network
  --wheel FILE                 install this wheel; dependencies come from the package index, by locked hashes
  --with LIST                  extras: llama-cpp (default), fast, postgres; none for none
  --python PATH                use this Python (3.11 or newer)
  --prefix FOLDER              where the program lies
  --no-systemd                 no service: start in the background; --start and --stop do that later
  --dry-run                    check, say what would be done, change nothing
  --uninstall [--purge] [--yes]  remove; --purge: data and settings too; --yes: without asking

Every other option is a setting and goes into config.yaml: --port 9000 --data-dir /data/aimindserve
TEXT
    fi
}

# ---- the command line ----------------------------------------------------------------------------------------------

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
            --*=*) parse_name=${1%%=*} parse_value=${1#*=} parse_has=yes ;;
            --*) parse_name=$1 parse_value=${2-} parse_has=no ;;
            -h) parse_name=--help parse_value='' parse_has=no ;;
            *) misused 'What is "%s"? See --help.' '“%s”是什么？请看 --help。' "$1" ;;
        esac
        shift
        case $parse_name in
            --help | --dry-run | --no-systemd | --yes | --purge | --uninstall | --start | --stop)
                take_switch "$parse_name"
                continue
                ;;
            --version | --offline-bundle | --wheel | --with | --python | --prefix | --*-token | --*-token-file)
                [ "$parse_has" = yes ] || [ $# -gt 0 ] || misused '%s needs a value.' '%s 需要一个值。' "$parse_name"
                [ "$parse_has" = yes ] || shift
                take_option "$parse_name" "$parse_value"
                ;;
            *)
                case $parse_has:$#:$parse_value in
                    no:0:* | no:*:--*) take_setting_switch "$parse_name" ;;
                    no:*) shift && take_setting "$parse_name" "$parse_value" ;;
                    *) take_setting "$parse_name" "$parse_value" ;;
                esac
                ;;
        esac
    done
}

take_switch() {
    case $1 in
        --help) usage && exit 0 ;;
        --dry-run) DRY_RUN=yes ;;
        --no-systemd) SYSTEMD=no ;;
        --yes) YES=yes ;;
        --purge) PURGE=yes ;;
        --uninstall | --start | --stop) ACTION=${1#--} ;;
    esac
}

take_option() {
    case $1 in
        --version) VERSION=$2 ;;
        --offline-bundle) BUNDLE=$(absolute "$2") ;;
        --wheel) WHEEL=$(absolute "$2") ;;
        --with) EXTRAS=$2 ;;
        --python) PYTHON=$2 ;;
        --prefix) PREFIX=$(absolute "$2") ;;
        --huggingface-token | --modelscope-token) take_token "$1" "$2" ;;
        --huggingface-token-file | --modelscope-token-file)
            [ -r "$2" ] || misused 'The file %s cannot be read.' '无法读取文件 %s。' "$2"
            keep_token "${1%-file}" "$(head -n 1 "$2")"
            ;;
        *) misused 'There is no option %s.' '没有选项 %s。' "$1" ;;
    esac
}

# A token by value was in our command line: it is wiped there, but the shell's history keeps it.
take_token() {
    if [ "$2" = - ]; then
        keep_token "$1" "$(ask_secret)"
    else
        TOKEN_WAS_SHOWN=yes
        keep_token "$1" "$2"
    fi
}

keep_token() {
    case $1 in
        --huggingface-token) HUB_TOKEN=$2 ;;
        --modelscope-token) MODELSCOPE_TOKEN=$2 ;;
    esac
}

# One line that is not shown while it is typed. Where this script itself comes by standard input, the terminal is asked.
ask_secret() {
    if [ -f "$0" ] && ! [ -t 0 ]; then
        read -r secret
    else
        say 'Token (it is not shown):' '令牌（输入时不显示）：' >&2
        stty -echo </dev/tty
        read -r secret </dev/tty
        stty echo </dev/tty
    fi
    printf '%s' "$secret"
}

take_setting_switch() {
    case $1 in
        --no-*) take_setting "--${1#--no-}" false ;;
        *) take_setting "$1" true ;;
    esac
}

take_setting() {
    setting_name=$(printf '%s' "${1#--}" | tr - _)
    case $setting_name in
        config) misused 'The installer has its own config.yaml: give settings as options.' '安装程序使用自己的 config.yaml：请以选项给出设置。' ;;
        data_dir) set -- "$1" "$(absolute "$2")" ;;
    esac
    SETTINGS="$SETTINGS$setting_name=$2
"
}

# The last value that was given for a setting.
setting() { printf '%s' "$SETTINGS" | sed -n "s/^$1=//p" | tail -n 1; }

absolute() {
    case $1 in
        /*) printf '%s' "$1" ;;
        *) printf '%s/%s' "$(pwd)" "$1" ;;
    esac
}

# Wipes secrets from the memory in which `ps` reads our arguments; and those of sudo, which waits for us with the same.
hide_arguments() {
    case $TOKEN_WAS_SHOWN:$SETTINGS in yes:* | *@*) ;; *) return 0 ;; esac
    wipe $$ /proc/self/mem
    above=$PPID
    while [ "$(id -u)" = 0 ] && [ "$(cat "/proc/$above/comm" 2>/dev/null)" = sudo ]; do
        wipe "$above" "/proc/$above/mem"
        above=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$above/status")
    done
}

# wipe PID MEMORY: fields 48 and 49 of stat are start and end of the arguments; the name before them may hold spaces.
wipe() {
    [ -w "$2" ] || return 0
    memory=$2
    # shellcheck disable=SC2046  # numbers
    set -- $(sed 's/.*) //' "/proc/$1/stat")
    [ $# -ge 47 ] || return 0
    shift 45
    # shellcheck disable=SC2093  # exec opens a file here
    command exec 9<>"$memory" || return 0
    head -c "$(($2 - $1))" /dev/zero | dd bs=1 seek="$1" conv=notrunc >&9 2>/dev/null || true
    exec 9>&-
}

# ---- where things are ----------------------------------------------------------------------------------------------

# Root or not decides the places; an installation that is there knows its own.
settle_places() {
    if [ "$(id -u)" = 0 ]; then
        IS_ROOT=yes SERVICE_USER=aimindserve PORT=80
        PREFIX=${PREFIX:-/opt/aimindserve} CONFIG=/etc/aimindserve/config.yaml DATA_DIR=/var/lib/aimindserve
        UNIT=/etc/systemd/system/aimindserve.service COMMAND=/usr/local/bin/aimindserve
    else
        : "${HOME:?}"
        IS_ROOT=no PORT=8080
        SERVICE_USER=$(id -un 2>/dev/null) || SERVICE_USER=$(id -u)
        PREFIX=${PREFIX:-$HOME/.local/lib/aimindserve} DATA_DIR=$HOME/.local/share/aimindserve
        CONFIG=${XDG_CONFIG_HOME:-$HOME/.config}/aimindserve/config.yaml
        UNIT=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user/aimindserve.service COMMAND=$HOME/.local/bin/aimindserve
    fi
    RECORD=$PREFIX/installed
    HOST=0.0.0.0 INSTALLED=''
    if [ -f "$RECORD" ]; then
        [ "$(recorded root)" = "$IS_ROOT" ] || die 'The installation in %s was made by another account (%s): run this as that account.' \
            '%s 中的安装属于另一个账户（%s）：请以该账户运行。' "$PREFIX" "$(stat -c %U "$RECORD")"
        INSTALLED=$(recorded version) DATA_DIR=$(recorded data_dir) CONFIG=$(recorded config)
        PORT=$(recorded port) HOST=$(recorded host)
        [ "$SYSTEMD" = auto ] && SYSTEMD=$(recorded systemd)
    fi
    if [ -z "$EXTRAS" ]; then
        EXTRAS=llama-cpp
        if [ -n "$INSTALLED" ]; then EXTRAS=$(recorded extras); fi
    fi
    case $(setting database_url) in postgres*) EXTRAS=$EXTRAS,postgres ;; esac
    settle_given_places
}

settle_given_places() {
    given=$(setting data_dir)
    if [ -n "$INSTALLED" ] && [ -n "$given" ] && [ "$given" != "$DATA_DIR" ]; then
        die 'The data folder is %s. To move it: stop the service, move the folder, change data_dir in %s and in %s.' \
            '数据目录是 %s。要移动：停止服务、移动目录，并修改 %s 与 %s 中的 data_dir。' "$DATA_DIR" "$CONFIG" "$RECORD"
    fi
    DATA_DIR=${given:-$DATA_DIR}
    given=$(setting port)
    PORT=${given:-$PORT}
    given=$(setting host)
    HOST=${given:-$HOST}
    case $DATA_DIR$PREFIX$CONFIG in
        *[!A-Za-z0-9/._+-]*) die 'Folders may hold letters, digits and ._+- only: %s %s' '目录名只能含字母、数字和 ._+-：%s %s' "$DATA_DIR" "$PREFIX" ;;
    esac
    if [ "$SYSTEMD" = auto ]; then
        SYSTEMD=no
        if [ -d /run/systemd/system ] && controls_systemd; then SYSTEMD=yes; fi
        [ "$SYSTEMD" = yes ] || warn 'systemd is not running here: no service is made (--no-systemd).' '这里没有运行 systemd：不建立服务（--no-systemd）。'
    fi
}

controls_systemd() { [ "$IS_ROOT" = yes ] || systemctl --user show-environment >/dev/null 2>&1; }

recorded() { sed -n "s/^$1=//p" "$RECORD"; }

# ---- checks --------------------------------------------------------------------------------------------------------

check_machine() {
    [ "$(uname -s)" = Linux ] || die 'aiMindServe runs on Linux; this is %s.' 'aiMindServe 运行于 Linux；这里是 %s。' "$(uname -s)"
    case $(uname -m) in
        x86_64 | aarch64 | arm64) ;;
        *) die 'No packages are built for %s: x86_64 or aarch64 is needed.' '没有为 %s 构建的软件包：需要 x86_64 或 aarch64。' "$(uname -m)" ;;
    esac
    libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || libc=''
    case $libc in
        'glibc 2.'*) libc_minor=${libc#glibc 2.} libc_minor=${libc_minor%%.*} ;;
        *) die 'glibc is needed; this system has another C library. Use the container image instead.' '需要 glibc；本系统使用其他 C 库。请改用容器镜像。' ;;
    esac
    [ "$libc_minor" -ge $OLDEST_GLIBC_MINOR ] || die '%s is too old: 2.%s is needed (Debian 10, Ubuntu 20.04, RHEL 8 or newer).' \
        '%s 太旧：需要 2.%s（Debian 10、Ubuntu 20.04、RHEL 8 或更新）。' "$libc" "$OLDEST_GLIBC_MINOR"
    check_disk
    check_gpu
    if [ "$IS_ROOT" = yes ]; then
        for tool in setpriv useradd; do
            command -v $tool >/dev/null || die 'The program %s is missing: install util-linux and shadow (Debian: util-linux, passwd).' \
                '缺少程序 %s：请安装 util-linux 和 shadow（Debian：util-linux、passwd）。' "$tool"
        done
    fi
}

check_disk() {
    free_mb=$(free_megabytes "$PREFIX")
    [ "$free_mb" -ge $DISK_NEEDED_MB ] || die '%s MB are free for %s, %s are needed: free some space or choose another --prefix.' \
        '剩余 %s MB（%s），需要 %s MB：请清理空间或换一个 --prefix。' "$free_mb" "$PREFIX" "$DISK_NEEDED_MB"
    data_gb=$(($(free_megabytes "$DATA_DIR") / 1024))
    [ "$data_gb" -ge $DATA_WANTED_GB ] || warn 'Only %s GB are free for models in %s: a larger disk is chosen with --data-dir.' \
        '存放模型的空间只剩 %s GB（%s）：可用 --data-dir 选择更大的磁盘。' "$data_gb" "$DATA_DIR"
}

free_megabytes() {
    free_at=$1
    while ! [ -d "$free_at" ]; do free_at=$(dirname "$free_at"); done
    df -Pk "$free_at" | awk 'NR == 2 { print int($4 / 1024) }'
}

check_gpu() {
    if command -v nvidia-smi >/dev/null && gpus=$(nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader 2>/dev/null); then
        say 'GPU: %s' 'GPU：%s' "$(printf '%s' "$gpus" | tr '\n' ';')"
    elif [ -e /dev/kfd ]; then
        say 'GPU: AMD' 'GPU：AMD'
    elif grep -qs 0x10de /sys/bus/pci/devices/*/vendor; then
        warn 'An NVIDIA card is there, but its driver does not answer (nvidia-smi): install it, then restart the service.' \
            '发现 NVIDIA 显卡，但驱动没有应答（nvidia-smi）：请安装驱动，然后重启服务。'
    else
        say 'No GPU was found: models run on the CPU.' '没有发现 GPU：模型在 CPU 上运行。'
    fi
}

check_port() {
    [ -z "$INSTALLED" ] || return 0
    "$PYTHON" -c '
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind((host, port))
    probe.listen(1)
' "$HOST" "$PORT" 2>/dev/null || die 'Port %s is taken: choose another one with --port, for example --port 8080.' \
        '端口 %s 已被占用：请用 --port 另选一个，例如 --port 8080。' "$PORT"
}

# ---- Python and the packages ---------------------------------------------------------------------------------------

find_python() {
    if [ -n "$PYTHON" ]; then
        is_usable "$PYTHON" || die '%s is no Python 3.11 or newer with the module venv.' '%s 不是带有 venv 模块的 Python 3.11 或更新版本。' "$PYTHON"
        PYTHON=$(command -v "$PYTHON")
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11 python3.14 "$PREFIX"/python/*/bin/python3; do
        if is_usable "$candidate"; then
            PYTHON=$(command -v "$candidate")
            return
        fi
    done
    bring_python
}

is_usable() { "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

# No Python 3.11: uv brings one of its own, below our folder.
bring_python() {
    if [ "$DRY_RUN" = yes ]; then
        say 'No Python 3.11 was found: uv would bring one. --dry-run sees no further.' '没有找到 Python 3.11：将由 uv 带来一个。--dry-run 只能看到这里。'
        exit 0
    fi
    uv=$(command -v uv || true)
    if [ -z "$uv" ]; then
        no_python='Python 3.11 or newer is missing. Install it (Debian 12, Ubuntu 24.04: apt-get install python3; RHEL 9: dnf install python3.11) or give one with --python.'
        no_python_zh='缺少 Python 3.11 或更新版本。请安装（Debian 12、Ubuntu 24.04：apt-get install python3；RHEL 9：dnf install python3.11），或用 --python 指定。'
        if [ -n "$BUNDLE" ] || ! command -v curl >/dev/null; then die "$no_python" "$no_python_zh"; fi
        say 'No Python 3.11 was found: uv brings one.' '没有找到 Python 3.11：由 uv 带来一个。'
        curl -fsSL "${AIMINDSERVE_UV_INSTALLER:-https://astral.sh/uv/install.sh}" | UV_UNMANAGED_INSTALL="$WORK/uv" sh >&2 || die "$no_python" "$no_python_zh"
        uv=$WORK/uv/uv
    fi
    "$uv" python install --install-dir "$PREFIX/python" 3.12 >&2 || die 'uv could not bring Python 3.12; see above.' 'uv 未能安装 Python 3.12；见上文。'
    for PYTHON in "$PREFIX"/python/*/bin/python3; do
        if is_usable "$PYTHON"; then return; fi
    done
    die 'uv could not bring Python 3.12; see above.' 'uv 未能安装 Python 3.12；见上文。'
}

# Sets WHEEL (ours) and, for a bundle, WHEELS (the folder of the others).
find_wheel() {
    WHEELS=''
    if [ -n "$BUNDLE" ]; then
        open_bundle
    elif [ -z "$WHEEL" ]; then
        wanted=aimindserve${VERSION:+==$VERSION}
        say 'Fetching %s …' '正在获取 %s …' "$wanted"
        pip "$PYTHON" download -q --no-deps --only-binary :all: -d "$WORK" "$wanted" ||
            die '%s could not be fetched from the package index. Without internet: --offline-bundle.' '未能从软件包索引获取 %s。没有网络时请用 --offline-bundle。' "$wanted"
        WHEEL=$(newest_wheel "$WORK")
    fi
    case ${WHEEL##*/} in
        aimindserve-*.whl) [ -r "$WHEEL" ] || die 'There is no file %s.' '没有文件 %s。' "$WHEEL" ;;
        *) die '%s is no wheel of aiMindServe.' '%s 不是 aiMindServe 的 wheel。' "${WHEEL:-?}" ;;
    esac
    NEW_VERSION=${WHEEL##*/aimindserve-} NEW_VERSION=${NEW_VERSION%%-*}
    # A wheel that is built again under the same version gets an environment of its own.
    NEW=$PREFIX/versions/$NEW_VERSION-$(sha256sum "$WHEEL" | cut -c 1-8)
}

open_bundle() {
    [ -e "$BUNDLE" ] || die 'There is no %s.' '没有 %s。' "$BUNDLE"
    bundle=$BUNDLE
    if [ -f "$BUNDLE" ]; then
        bundle=$WORK/bundle
        mkdir "$bundle"
        unpack_wheels "$BUNDLE" "$bundle" || die '%s is no whole archive of wheels: copy it again.' '%s 不是完整的 wheel 归档：请重新复制。' "$BUNDLE"
    fi
    if [ -f "$bundle/SHA256SUMS" ]; then
        (cd "$bundle" && sha256sum --check --quiet --ignore-missing SHA256SUMS >&2) || die '%s is damaged: its checksums do not agree. Copy it again.' '%s 已损坏：校验和不符。请重新复制。' "$BUNDLE"
    fi
    WHEELS=$bundle
    if [ -d "$bundle/wheels" ]; then WHEELS=$bundle/wheels; fi
    WHEEL=$(newest_wheel "$WHEELS" "$VERSION")
    [ -n "$WHEEL" ] || WHEEL=$(newest_wheel "$bundle" "$VERSION")
    [ -n "$WHEEL" ] || die 'There is no wheel of aiMindServe %s in %s.' '没有找到 aiMindServe %s 的 wheel（%s）。' "$VERSION" "$BUNDLE"
}

# Our wheels out of a tar archive, checked against its list. Models and engines in it are for `aimindserve bundle load`.
unpack_wheels() {
    "$PYTHON" -c '
import hashlib, json, pathlib, sys, tarfile
wanted, target = {}, pathlib.Path(sys.argv[2])
with tarfile.open(sys.argv[1]) as archive:
    for member in archive:
        path = pathlib.PurePosixPath(member.name)
        ours = path.suffix == ".whl" and path.parent.name in ("", "wheels") and len(path.parts) <= 2
        if member.isreg() and (ours or str(path) in ("manifest.json", "SHA256SUMS")):
            wanted[str(path)] = archive.extractfile(member).read()
listed = {entry["name"]: entry["sha256"] for entry in json.loads(wanted.get("manifest.json", b"{}")).get("entries", [])}
for name, content in wanted.items():
    if name in listed and hashlib.sha256(content).hexdigest() != listed[name]:
        sys.exit(f"{name}: the checksum does not agree")
    (target / name).parent.mkdir(exist_ok=True)
    (target / name).write_bytes(content)
' "$1" "$2"
}

newest_wheel() { find "$1" -maxdepth 1 -name "aimindserve-${2:-[0-9]*}-*.whl" | sort -V | tail -n 1; }

# pip PYTHON ARGUMENTS…: pip for an environment that has none: the bundle's, this Python's, the system's, or uv.
pip() {
    pip_for=$1
    shift
    if [ -z "${PIP_PATH-}" ]; then PIP_PATH=$(find_pip); fi
    if [ "$PIP_PATH" = system ]; then
        "$PYTHON" -m pip --no-cache-dir --disable-pip-version-check --python "$pip_for" "$@"
    else
        PYTHONPATH=$PIP_PATH "$pip_for" -m pip --no-cache-dir --disable-pip-version-check "$@"
    fi
}

# Where Python finds a pip (it runs a wheel as it is), or the word `system`.
find_pip() {
    set -- "${WHEELS:-/nonexistent}"/pip-*.whl
    if [ -f "$1" ]; then
        printf '%s' "$1"
    elif bundled=$("$PYTHON" -c '
import ensurepip, pathlib
places = [pathlib.Path(ensurepip.__file__).parent / "_bundled", pathlib.Path("/usr/share/python-wheels")]
print(next(str(wheel) for place in places for wheel in sorted(place.glob("pip-*.whl"))))' 2>/dev/null); then
        printf '%s' "$bundled"
    elif "$PYTHON" -m pip --version >/dev/null 2>&1; then
        printf system
    elif command -v uv >/dev/null && uv pip install -q --target "$WORK/pip" pip >&2; then
        printf '%s' "$WORK/pip"
    else
        die 'pip is missing. Debian, Ubuntu: apt-get install python3-venv.' '缺少 pip。Debian、Ubuntu：apt-get install python3-venv。'
    fi
}

# The new version in a folder of its own; what runs is not touched.
build_environment() {
    if [ -f "$NEW/.complete" ] && [ "$(cat "$NEW/.complete")" = "$EXTRAS" ]; then return; fi
    say 'Installing aiMindServe %s into %s …' '正在安装 aiMindServe %s 到 %s …' "$NEW_VERSION" "$NEW"
    rm -rf "$NEW"
    mkdir -p "$PREFIX/versions"
    "$PYTHON" -m venv --without-pip "$NEW" || die 'No environment could be made with %s.' '无法用 %s 建立环境。' "$PYTHON"
    lock_of_wheel >"$WORK/requirements.txt"
    [ -s "$WORK/requirements.txt" ] || die '%s is no whole wheel: copy it again.' '%s 不是完整的 wheel：请重新复制。' "$WHEEL"
    set -- install -q --no-compile --no-deps
    [ -z "$WHEELS" ] || set -- "$@" --no-index --find-links "$WHEELS"
    pip "$NEW/bin/python" "$@" --only-binary :all: --require-hashes -r "$WORK/requirements.txt" ||
        die 'The packages could not be installed; see above. A bundle holds them for one version of Python; this is %s.' \
            '软件包安装失败；见上文。离线包只适用于一个 Python 版本；这里是 %s。' "$("$PYTHON" -V)"
    pip "$NEW/bin/python" install -q --no-compile --no-deps --no-index "$WHEEL" || die 'The packages could not be installed; see above.' '软件包安装失败；见上文。'
    compile_what_is_used
    printf '%s' "$EXTRAS" >"$NEW/.complete"
}

# The lock that the wheel carries, less what is never used, and the packages of extras that were not asked for.
lock_of_wheel() {
    # 18 MB: faster downloads of huggingface-hub's own, which the node does not use, and typer's colours, switched off.
    skipped=' hf-xet rich pygments markdown-it-py mdurl'
    for pair in llama-cpp:xllamacpp fast:uvloop postgres:asyncpg; do
        case ,$EXTRAS, in *,"${pair%%:*}",*) ;; *) skipped="$skipped ${pair#*:}" ;; esac
    done
    "$PYTHON" -c 'import sys, zipfile
sys.stdout.write(zipfile.ZipFile(sys.argv[1]).read("aimindserve/install/requirements.txt").decode())' "$WHEEL" |
        awk -v skipped="$skipped " '/^[a-z0-9]/ { keep = index(skipped, " " substr($1, 1, index($1, "=") - 1) " ") == 0 } keep'
}

# The service may not write here, so bytecode is made now: of ours, and of what is loaded; half of it never is.
compile_what_is_used() {
    env -u PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX='' "$NEW/bin/python" -c '
import compileall, contextlib, importlib, pathlib
import aimindserve
compileall.compile_dir(pathlib.Path(aimindserve.__file__).parent, quiet=2, workers=0)
for name in ("aimindserve.server.app", "aimindserve.gateway.app", "aimindserve.cli.main", "aimindserve.cli.configure"):
    importlib.import_module(name)
for name in ("alembic.command", "sqlalchemy.dialects.sqlite.aiosqlite", "uvicorn.server", "huggingface_hub.hf_api"):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
' || die 'aiMindServe %s cannot be loaded here; nothing was changed.' 'aiMindServe %s 无法在此加载；没有做任何改变。' "$NEW_VERSION"
}

# llama.cpp needs a library that minimal systems lack.
check_engine() {
    case ,$EXTRAS, in *,llama-cpp,*) ;; *) return 0 ;; esac
    engine=$("$NEW/bin/python" -c 'import xllamacpp' 2>&1) && return
    case $engine in
        *libgomp*) warn 'llama.cpp needs libgomp: apt-get install libgomp1, or dnf install libgomp.' 'llama.cpp 需要 libgomp：apt-get install libgomp1，或 dnf install libgomp。' ;;
        *) warn 'llama.cpp cannot run here: %s' 'llama.cpp 无法在此运行：%s' "$(printf '%s' "$engine" | tail -n 1)" ;;
    esac
}

# ---- account, folders, settings ------------------------------------------------------------------------------------

make_account() {
    [ "$IS_ROOT" = yes ] || return 0
    if ! id "$SERVICE_USER" >/dev/null 2>&1; then
        say 'Making the system user %s' '正在建立系统用户 %s' "$SERVICE_USER"
        useradd --system --user-group --home-dir "$DATA_DIR" --no-create-home --shell "$(command -v nologin || echo /bin/false)" "$SERVICE_USER"
    fi
    for group in $(gpu_groups); do usermod -aG "$group" "$SERVICE_USER"; done
}

# The groups of this system to which graphics devices belong.
gpu_groups() {
    for group in video render; do
        if getent group $group >/dev/null; then echo $group; fi
    done
}

make_folders() {
    if [ -e "$DATA_DIR" ] && [ -n "$(ls -A "$DATA_DIR")" ] && ! [ -d "$DATA_DIR/keys" ]; then
        die '%s holds other things: choose another folder with --data-dir.' '%s 中有其他内容：请用 --data-dir 选择别的目录。' "$DATA_DIR"
    fi
    mkdir -p "$PREFIX" "$(dirname "$CONFIG")" "$(dirname "$COMMAND")" "$DATA_DIR"
    chmod 0700 "$DATA_DIR"
    [ "$IS_ROOT" = yes ] || return 0
    chmod 0755 "$PREFIX"
    if [ "$(stat -c %U "$DATA_DIR")" != "$SERVICE_USER" ]; then chown -R "$SERVICE_USER:$SERVICE_USER" "$DATA_DIR"; fi
    chown "root:$SERVICE_USER" "$(dirname "$CONFIG")"
    chmod 0750 "$(dirname "$CONFIG")"
}

# Settings go into the file, tokens into the data folder, all by standard input. Sets HOST and PORT to what holds now.
configure() {
    if [ -f "$CONFIG" ]; then cp -p "$CONFIG" "$WORK/config.before"; fi
    {
        printf '%s' "$SETTINGS"
        printf 'data_dir=%s\n' "$DATA_DIR"
        if ! [ -f "$CONFIG" ]; then printf 'host=%s\nport=%s\n' "$HOST" "$PORT"; fi
        [ -z "$HUB_TOKEN" ] || printf 'huggingface_token=%s\n' "$HUB_TOKEN"
        [ -z "$MODELSCOPE_TOKEN" ] || printf 'modelscope_token=%s\n' "$MODELSCOPE_TOKEN"
    } | "$NEW/bin/python" -m aimindserve.cli.configure --config "$CONFIG" >"$WORK/settled" || exit 2
    HOST=$(sed -n 's/^host=//p' "$WORK/settled") PORT=$(sed -n 's/^port=//p' "$WORK/settled")
}

# ---- the service ---------------------------------------------------------------------------------------------------

unit_text() {
    cat <<UNIT
# Written by install.sh; changes of yours belong into \`systemctl edit aimindserve\`.
[Unit]
Description=aiMindServe, vision language models on this machine
After=network-online.target nvidia-persistenced.service
Wants=network-online.target

[Service]
Type=exec
ExecStart=$PREFIX/current/bin/aimindserve start --config $CONFIG
ExecReload=$PREFIX/current/bin/aimindserve reload --data-dir $DATA_DIR
Restart=always
RestartSec=2
# A wrong setting stays wrong.
RestartPreventExitStatus=2
TimeoutStopSec=30
# Engines go on running when the service stops or is upgraded; the next start takes them over.
KillMode=process
Delegate=yes
LimitNOFILE=1048576
UMask=0077
NoNewPrivileges=yes
UNIT
    if [ "$IS_ROOT" = no ]; then
        printf '\n[Install]\nWantedBy=default.target\n'
        return
    fi
    cat <<UNIT
User=$SERVICE_USER
Group=$SERVICE_USER
SupplementaryGroups=$(gpu_groups | tr '\n' ' ')
LimitMEMLOCK=infinity
# For port 80; nothing else of root's rights.
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
ProtectSystem=strict
# No PrivateTmp: systemd would empty it at a stop, under running engines.
ReadWritePaths=$DATA_DIR /tmp /var/tmp
ProtectHome=read-only
# No PrivateDevices and no ProtectClock: both close the devices of GPUs. No ProtectKernelTunables, no
# ProtectControlGroups: in a container they show the service another boot id than commands see, which then find no
# engine; an account without rights cannot write there anyway.
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=~@clock @module @mount @obsolete @raw-io @reboot @swap
SystemCallErrorNumber=EPERM
UNIT
    # NoNewPrivileges takes the setuid of nvidia-modprobe away, which makes the device files on a machine without X.
    for helper in '/usr/bin/nvidia-modprobe -c 0 -u' '/usr/bin/nvidia-smi -L'; do
        if [ -x "${helper%% *}" ]; then printf 'ExecStartPre=-+%s\n' "$helper"; fi
    done
    printf '\n[Install]\nWantedBy=multi-user.target\n'
}

systemd() {
    if [ "$IS_ROOT" = yes ]; then systemctl "$@"; else systemctl --user "$@"; fi
}

write_service() {
    write_command
    [ "$SYSTEMD" = yes ] || return 0
    mkdir -p "$(dirname "$UNIT")"
    unit_text >"$UNIT.new"
    chmod 0644 "$UNIT.new"
    mv "$UNIT.new" "$UNIT"
    systemd daemon-reload
    systemd enable -q aimindserve
    [ "$IS_ROOT" = yes ] || loginctl enable-linger >/dev/null 2>&1 ||
        warn 'The service ends with your session; to keep it: sudo loginctl enable-linger %s' '服务会随会话结束；要保持运行：sudo loginctl enable-linger %s' "$SERVICE_USER"
}

# `aimindserve` on the PATH, which knows the folders of this installation where they may be read.
write_command() {
    cat >"$COMMAND.new" <<TEXT
#!/bin/sh
# Written by aiMindServe's install.sh.
if [ -x $DATA_DIR ]; then : "\${AIMINDSERVE_DATA_DIR:=$DATA_DIR}" && export AIMINDSERVE_DATA_DIR; fi
if [ -r $CONFIG ]; then : "\${AIMINDSERVE_CONFIG:=$CONFIG}" && export AIMINDSERVE_CONFIG; fi
exec $PREFIX/current/bin/aimindserve "\$@"
TEXT
    chmod 0755 "$COMMAND.new"
    mv "$COMMAND.new" "$COMMAND"
}

# as_service COMMAND…: as the account of the service, in a clean environment.
as_service() {
    set -- env -i HOME="$DATA_DIR" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG="${LANG:-C.UTF-8}" "$@"
    if [ "$IS_ROOT" = yes ]; then
        set -- setpriv --reuid="$SERVICE_USER" --regid="$SERVICE_USER" --init-groups --no-new-privs \
            --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service "$@"
    else
        set -- env HOME="$HOME" "$@"
    fi
    ${RUN_BY-} "$@"
}

start_service() {
    if [ "$SYSTEMD" = yes ]; then
        systemd restart aimindserve
        return
    fi
    if supervisor >/dev/null; then return; fi
    # In a session of its own, without our lock and our output: it outlives this script.
    (
        RUN_BY='exec'
        # shellcheck disable=SC2016  # the inner shell expands
        as_service sh -c 'umask 077; mkdir -p "$1/logs"; exec setsid "$2" start --config "$3" >>"$1/logs/service.log" 2>&1' \
            sh "$DATA_DIR" "$PREFIX/current/bin/aimindserve" "$CONFIG"
    ) </dev/null >/dev/null 2>&1 8>&- &
    LAUNCHED=$! # becomes the supervisor, by exec alone
}

start_installed() {
    [ -f "$RECORD" ] || die 'aiMindServe is not installed in %s.' '%s 中没有安装 aiMindServe。' "$PREFIX"
    PYTHON=$PREFIX/current/bin/python
    start_service
    wait_ready "$READY_SECONDS" && return
    last_words
    die 'aiMindServe does not answer on port %s; see above.' '端口 %s 没有应答；见上文。' "$PORT"
}

stop_service() {
    if [ "$SYSTEMD" = yes ]; then
        systemd stop aimindserve
        return
    fi
    pid=$(supervisor) || pid=$LAUNCHED # a start that is not the supervisor yet
    if [ -z "$pid" ] || ! kill "$pid" 2>/dev/null; then return 0; fi
    tries=0
    while kill -0 "$pid" 2>/dev/null && ! is_zombie "$pid"; do
        tries=$((tries + 1))
        [ $tries -le 400 ] || die 'aiMindServe (process %s) does not end.' 'aiMindServe（进程 %s）没有结束。' "$pid"
        sleep 0.1
    done
}

is_zombie() { grep -qs '^State:.Z' "/proc/$1/status"; }

# The process of a start out of our folder; its program and module stand first in its command line.
supervisor() {
    # shellcheck disable=SC2013  # these paths hold no spaces
    for process in $(grep -ls aimindserve.cli.supervisor /proc/[0-9]*/cmdline); do
        case $({ tr '\0' ' ' <"$process"; } 2>/dev/null) in
            "$PREFIX"/versions/*/bin/python*' -m aimindserve.cli.supervisor '*)
                process=${process#/proc/}
                printf '%s' "${process%%/*}"
                return
                ;;
        esac
    done
    return 1
}

# Whether the whole product answers: /readyz of the gateway, and a path that only the server knows.
wait_ready() {
    "$PYTHON" -c '
import sys, time, urllib.error, urllib.request
host, port, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def status(path):
    try:
        with opener.open(f"http://{host}:{port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
end = time.monotonic() + seconds
while not (status("/readyz") == 200 and status("/api/v1/session") in (200, 401, 403)):
    if time.monotonic() > end:
        sys.exit(1)
    time.sleep(0.1)
' "$HOST" "$PORT" "$1" &
    POLLER=$!
    # A signal ends this wait at once; a program in the foreground would be waited for first.
    wait $POLLER
}

last_words() {
    if [ "$SYSTEMD" = yes ]; then
        if [ "$IS_ROOT" = yes ]; then journalctl -u aimindserve -n 20 --no-pager; else journalctl --user -u aimindserve -n 20 --no-pager; fi
    else
        tail -n 20 "$DATA_DIR/logs/service.log"
    fi >&2 2>/dev/null || true
}

# ---- install and upgrade -------------------------------------------------------------------------------------------

install_or_upgrade() {
    check_machine
    find_python
    check_port
    find_wheel
    if [ "$DRY_RUN" = yes ]; then
        tell_plan
        return
    fi
    mkdir -p "$PREFIX"
    exec 8>"$PREFIX/.lock"
    flock -n 8 || die 'Another installation is running.' '另一个安装正在进行。'
    make_account
    make_folders
    build_environment
    check_engine
    OLD=$(readlink "$PREFIX/current" || true)
    configure
    if [ -z "$INSTALLED" ]; then first_start; else upgrade; fi
    remove_old_versions
    tell_success
}

tell_plan() {
    say 'This would be done:' '将要进行：'
    if [ -n "$INSTALLED" ]; then
        say '  upgrade     %s → %s, with a backup of the database and a roll-back if it does not answer' '  升级        %s → %s，先备份数据库，不能应答时回退' "$INSTALLED" "$NEW_VERSION"
    else
        say '  install     aiMindServe %s' '  安装        aiMindServe %s' "$NEW_VERSION"
    fi
    say '  program     %s (Python: %s)' '  程序        %s（Python：%s）' "$NEW" "$PYTHON"
    say '  command     %s' '  命令        %s' "$COMMAND"
    say '  settings    %s' '  设置        %s' "$CONFIG"
    say '  data        %s (0700, user %s)' '  数据        %s（0700，用户 %s）' "$DATA_DIR" "$SERVICE_USER"
    if [ "$SYSTEMD" = yes ]; then say '  service     %s' '  服务        %s' "$UNIT"; fi
    say '  port        %s' '  端口        %s' "$PORT"
}

point_current() {
    ln -sfn "$1" "$PREFIX/current.new"
    mv -T "$PREFIX/current.new" "$PREFIX/current"
}

# What --uninstall and the next upgrade go by; and this script itself, out of the wheel.
write_record() {
    printf 'root=%s\nversion=%s\ndata_dir=%s\nconfig=%s\nhost=%s\nport=%s\nsystemd=%s\nextras=%s\n' \
        "$IS_ROOT" "$NEW_VERSION" "$DATA_DIR" "$CONFIG" "$HOST" "$PORT" "$SYSTEMD" "$EXTRAS" >"$RECORD.new"
    mv "$RECORD.new" "$RECORD"
    cp "$PREFIX"/current/lib/python3*/site-packages/aimindserve/install/install.sh "$PREFIX/install.sh"
}

first_start() {
    point_current "$NEW"
    write_service
    write_record
    start_service
    wait_ready "$READY_SECONDS" && return
    last_words
    die 'aiMindServe was installed but does not answer on port %s. See the lines above, then run this again.' \
        'aiMindServe 已安装，但端口 %s 没有应答。请看上面的日志，然后再次运行。' "$PORT"
}

upgrade() {
    if [ "$OLD" = "$NEW" ] && cmp -s "$CONFIG" "$WORK/config.before" && [ -z "$HUB_TOKEN$MODELSCOPE_TOKEN" ] && wait_ready 2; then
        write_service
        return
    fi
    say 'Upgrading %s → %s; models go on running …' '正在升级 %s → %s；模型继续运行 …' "$INSTALLED" "$NEW_VERSION"
    SWITCHING=yes
    stop_service
    back_up
    point_current "$NEW"
    write_service
    start_service
    if wait_ready "$READY_SECONDS"; then
        SWITCHING=no
        write_record
        return
    fi
    last_words
    roll_back
    die 'aiMindServe %s did not answer within %s seconds: %s is back, with the database as it was.' \
        'aiMindServe %s 在 %s 秒内没有应答：已恢复 %s，数据库与原来相同。' "$NEW_VERSION" "$READY_SECONDS" "$INSTALLED"
}

# The old version's own backup where it has one, else a copy of the SQLite files. The service is stopped.
back_up() {
    BACKUP=$DATA_DIR/backups/before-$NEW_VERSION-$(date +%Y%m%d-%H%M%S)
    as_service mkdir -p -m 0700 "$DATA_DIR/backups"
    if as_service "$OLD/bin/aimindserve" backup --help >/dev/null 2>&1; then
        BACKUP=$BACKUP.tar.gz
        as_service "$OLD/bin/aimindserve" backup "$BACKUP" --data-dir "$DATA_DIR" >/dev/null || {
            roll_back
            die 'The database could not be backed up; nothing was changed.' '数据库备份失败；没有做任何改变。'
        }
    else
        as_service mkdir -m 0700 "$BACKUP"
        for file in "$DATA_DIR"/database.sqlite*; do
            if [ -f "$file" ]; then as_service cp -p "$file" "$BACKUP"; fi
        done
    fi
    say 'Backup: %s' '备份：%s' "$BACKUP"
}

roll_back() {
    SWITCHING=no
    warn 'Going back to %s …' '正在恢复 %s …' "$INSTALLED"
    stop_service || true
    point_current "$OLD"
    if [ -f "$WORK/config.before" ]; then cp -p "$WORK/config.before" "$CONFIG"; fi
    HOST=$(recorded host) PORT=$(recorded port)
    bring_back_database
    start_service
    wait_ready $((READY_SECONDS + 300)) || {
        last_words
        die 'The old version %s does not answer either. The backup is %s.' '旧版本 %s 也没有应答。备份在 %s。' "$INSTALLED" "${BACKUP:-?}"
    }
}

bring_back_database() {
    if [ -f "${BACKUP:-}" ]; then
        as_service "$OLD/bin/aimindserve" restore "$BACKUP" --force --data-dir "$DATA_DIR" >&2 ||
            warn 'The backup %s could not be restored by itself: aimindserve restore --force.' '备份 %s 未能自动恢复：aimindserve restore --force。' "$BACKUP"
    elif [ -d "${BACKUP:-}" ]; then
        rm -f "$DATA_DIR"/database.sqlite*
        for file in "$BACKUP"/database.sqlite*; do
            if [ -f "$file" ]; then as_service cp -p "$file" "$DATA_DIR"; fi
        done
    fi
}

# The version in use and the one before stay; so does one whose files a running engine still has open.
remove_old_versions() {
    for version in "$PREFIX"/versions/*; do
        case $version in "$NEW" | "${OLD:-$NEW}") continue ;; esac
        if grep -qsF "$version/" /proc/[0-9]*/cmdline /proc/[0-9]*/maps; then continue; fi
        rm -rf "$version"
    done
}

tell_success() {
    password=$DATA_DIR/initial_admin_password
    say '' ''
    say 'aiMindServe %s is ready (%s s).' 'aiMindServe %s 已就绪（%s 秒）。' "$NEW_VERSION" "$(($(date +%s) - STARTED))"
    say '  Page      %s' '  网页      %s' "$(address)"
    if [ -f "$password" ]; then
        say '  User      admin' '  用户      admin'
        say '  Password  cat %s' '  密码      cat %s' "$password"
        say '  Next      log in, choose a password of your own, then: Models, Deploy Model' '  下一步    登录，设置自己的密码，然后：模型 → 部署模型'
    fi
    if [ "$SYSTEMD" = yes ]; then
        say '  Logs      journalctl %s aimindserve' '  日志      journalctl %s aimindserve' "$([ "$IS_ROOT" = yes ] && echo -u || echo --user-unit)"
    else
        say '  Logs      %s' '  日志      %s' "$DATA_DIR/logs/service.log"
        say '  Service   none: sh %s/install.sh --stop, --start' '  服务      无：sh %s/install.sh --stop、--start' "$PREFIX"
    fi
    case :$PATH: in *:"$(dirname "$COMMAND")":*) ;; *) say '  Command   %s' '  命令      %s' "$COMMAND" ;; esac
    if [ -f "$WORK/bundle/manifest.json" ]; then say '  Models    aimindserve bundle load %s' '  模型      aimindserve bundle load %s' "$BUNDLE"; fi
    tell_firewall
    [ "$TOKEN_WAS_SHOWN" = no ] || say 'The token is wiped from the process list and stored with mode 0600; your shell may keep it in its history.' \
        '令牌已从进程列表中抹去并以 0600 权限保存；您的 shell 历史中可能仍有它。'
}

# The address at which others reach this machine, as far as it can be seen without sending a packet.
address() {
    "$PYTHON" -c '
import socket, sys
host, port = sys.argv[1], sys.argv[2]
if host in ("0.0.0.0", "::"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            host = probe.getsockname()[0]
        except OSError:
            host = "127.0.0.1"
host = f"[{host}]" if ":" in host else host
print(f"http://{host}" + ("" if port == "80" else f":{port}"))' "$HOST" "$PORT"
}

# A firewall is never changed, only named.
tell_firewall() {
    if command -v ufw >/dev/null && ufw status 2>/dev/null | grep -q '^Status: active'; then
        say '  Firewall  ufw allow %s/tcp' '  防火墙    ufw allow %s/tcp' "$PORT"
    elif command -v firewall-cmd >/dev/null && firewall-cmd -q --state 2>/dev/null; then
        say '  Firewall  firewall-cmd --permanent --add-port=%s/tcp && firewall-cmd --reload' '  防火墙    firewall-cmd --permanent --add-port=%s/tcp && firewall-cmd --reload' "$PORT"
    fi
}

# ---- remove --------------------------------------------------------------------------------------------------------

uninstall() {
    [ -f "$RECORD" ] || die 'aiMindServe is not installed in %s.' '%s 中没有安装 aiMindServe。' "$PREFIX"
    say 'This is removed:' '将移除：'
    say '  running models and the service' '  正在运行的模型和服务'
    for path in "$UNIT" "$COMMAND" "$PREFIX"; do
        if [ -e "$path" ]; then printf '  %s\n' "$path"; fi
    done
    if [ "$PURGE" = yes ]; then
        say '  %s (settings)' '  %s（设置）' "$CONFIG"
        say '  %s (%s: database, keys, models)' '  %s（%s：数据库、密钥、模型）' "$DATA_DIR" "$(du -sh "$DATA_DIR" 2>/dev/null | cut -f 1)"
        if [ "$IS_ROOT" = yes ]; then say '  the user %s' '  用户 %s' "$SERVICE_USER"; fi
    else
        say 'This stays (remove it with --purge): %s, %s' '保留（用 --purge 移除）：%s、%s' "$DATA_DIR" "$CONFIG"
    fi
    [ "$DRY_RUN" = no ] || return 0
    confirm
    remove_everything
    say 'aiMindServe is removed.' 'aiMindServe 已移除。'
}

confirm() {
    [ "$YES" = no ] || return 0
    [ -t 0 ] || misused 'Add --yes to remove it.' '加上 --yes 以确认移除。'
    say 'Remove it? [y/N]' '确认移除？[y/N]'
    read -r answer
    case $answer in y* | Y*) ;; *) exit 1 ;; esac
}

remove_everything() {
    stop_service
    as_service "$PREFIX/current/bin/aimindserve" stop-engines --data-dir "$DATA_DIR"
    if [ "$SYSTEMD" = yes ]; then systemd disable -q aimindserve; fi
    rm -f "$UNIT" "$COMMAND"
    if [ "$SYSTEMD" = yes ]; then systemd daemon-reload; fi
    rm -rf "$PREFIX"
    [ "$PURGE" = yes ] || return 0
    rm -rf "$DATA_DIR"
    rm -f "$CONFIG"
    rmdir "$(dirname "$CONFIG")" 2>/dev/null || true
    if [ "$IS_ROOT" = yes ] && ! userdel "$SERVICE_USER"; then
        warn 'The user %s could not be removed: userdel %s' '未能移除用户 %s：userdel %s' "$SERVICE_USER" "$SERVICE_USER"
    fi
}

# ---- the end -------------------------------------------------------------------------------------------------------

# Whatever ends us in the middle of an upgrade: the old version comes back.
finish() {
    code=$?
    trap - EXIT INT TERM HUP
    [ -z "$POLLER" ] || kill "$POLLER" 2>/dev/null || true
    if [ "$SWITCHING" = yes ]; then roll_back || true; fi
    rm -rf "$WORK"
    exit "$code"
}

main() {
    HUB_TOKEN=${AIMINDSERVE_HUGGINGFACE_TOKEN:-${HF_TOKEN:-}}
    unset HF_TOKEN AIMINDSERVE_HUGGINGFACE_TOKEN
    [ -z "${HF_ENDPOINT:-}" ] || take_setting --huggingface-endpoint "$HF_ENDPOINT"
    [ -z "${AIMINDSERVE_DATA_DIR:-}" ] || take_setting --data-dir "$AIMINDSERVE_DATA_DIR"
    [ -z "${AIMINDSERVE_HOST:-}" ] || take_setting --host "$AIMINDSERVE_HOST"
    [ -z "${AIMINDSERVE_PORT:-}" ] || take_setting --port "$AIMINDSERVE_PORT"
    parse "$@"
    hide_arguments
    [ -z "$BUNDLE" ] || [ -z "$WHEEL" ] || misused 'Give --offline-bundle or --wheel, not both.' '--offline-bundle 与 --wheel 只能给出一个。'
    umask 022
    settle_places
    WORK=$(mktemp -d)
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    cd /
    case $ACTION in
        install) install_or_upgrade ;;
        uninstall) uninstall ;;
        start) start_installed ;;
        stop) stop_service ;;
    esac
}

main "$@"
