"""The words of reasons about requests to the server."""

from aimindserve.domain.reason_wording import ReasonText, text
from aimindserve.domain.reasons import ReasonCode

_C = ReasonCode

REQUEST_TEXTS: dict[ReasonCode, ReasonText] = {
    _C.NOT_FOUND: text(
        "There is no {kind} {name}.",
        "Check the name in the list.",
        "没有名为 {name} 的{kind}。",
        "请在列表中核对名称。",
    ),
    _C.NAME_TAKEN: text(
        "The name {name} is already in use.",
        "Choose another name, or delete the other one first.",
        "名称 {name} 已被使用。",
        "请换一个名称，或先删除原有的。",
    ),
    _C.REVISION_CONFLICT: text(
        "{name} was changed by someone else in the meantime.",
        "Load it again and repeat your change.",
        "{name} 已被他人修改。",
        "请重新加载后再修改。",
    ),
    _C.ACTION_NOT_ALLOWED: text(
        "{name} cannot do “{action}” while it is {phase}.",
        "Wait for its state to change, or choose another action.",
        "{name} 处于 {phase} 状态时无法执行“{action}”。",
        "请等待状态变化，或选择其他操作。",
    ),
    _C.INVALID_REQUEST: text(
        "The request is not valid: {detail}.",
        "Correct the field that is named.",
        "请求无效：{detail}。",
        "请更正所指出的字段。",
    ),
    _C.UNAUTHENTICATED: text(
        "Nobody is logged in.",
        "Log in, or send an API key in the Authorization header.",
        "尚未登录。",
        "请登录，或在 Authorization 请求头中提供 API 密钥。",
    ),
    _C.FORBIDDEN: text(
        "This is not allowed for you.",
        "Ask an administrator, or use a key with the scope that is needed.",
        "您没有权限执行此操作。",
        "请联系管理员，或使用具有所需权限范围的密钥。",
    ),
    _C.LOGIN_FAILED: text(
        "The user name or the password is wrong.",
        "Try again; an administrator can reset a password with: aimindserve reset-admin-password",
        "用户名或密码错误。",
        "请重试；管理员可用以下命令重置密码：aimindserve reset-admin-password",
    ),
    _C.TOO_MANY_ATTEMPTS: text(
        "There were too many attempts to log in.",
        "Try again in {seconds} s.",
        "登录尝试次数过多。",
        "请在 {seconds} 秒后重试。",
    ),
    _C.PASSWORD_CHANGE_REQUIRED: text(
        "The initial password must be changed first.",
        "Set a new password, then go on.",
        "必须先修改初始密码。",
        "请设置新密码后继续。",
    ),
    _C.PASSWORD_TOO_SHORT: text(
        "The password is shorter than {minimum} characters.",
        "Choose a longer one; several words are good.",
        "密码少于 {minimum} 个字符。",
        "请选择更长的密码，例如由多个词组成。",
    ),
    _C.PASSWORD_COMMON: text(
        "This password is one that is guessed first.",
        "Choose another one.",
        "该密码过于常见。",
        "请换一个密码。",
    ),
    _C.PASSWORD_UNCHANGED: text(
        "The new password is the old one.",
        "Choose another one.",
        "新密码与旧密码相同。",
        "请换一个密码。",
    ),
    _C.CSRF_FAILED: text(
        "The request did not come from this page.",
        "Load the page again. Programs use an API key instead of the cookie.",
        "该请求并非来自本页面。",
        "请重新加载页面。程序请使用 API 密钥而非 Cookie。",
    ),
    _C.HOST_NOT_ALLOWED: text(
        "This server does not answer for the name {host}.",
        "Use its IP address, or add the name to the setting allowed_hosts.",
        "本服务器不响应主机名 {host}。",
        "请使用 IP 地址，或将该名称加入设置 allowed_hosts。",
    ),
    _C.BODY_TOO_LARGE: text(
        "The request is larger than {limit}.",
        "Send less at once.",
        "请求超过 {limit}。",
        "请减小单次请求的大小。",
    ),
    _C.METHOD_NOT_ALLOWED: text(
        "This address does not take {method}.",
        "See the API description.",
        "此地址不支持 {method} 方法。",
        "请参阅 API 说明。",
    ),
    _C.STORAGE_UNAVAILABLE: text(
        "The change could not be stored: {detail}.",
        "Check the disk and the database, then try again; nothing was changed.",
        "无法保存更改：{detail}。",
        "请检查磁盘和数据库后重试；未做任何更改。",
    ),
    _C.NOT_READY: text(
        "The server is not ready yet: {detail}.",
        "Try again in a moment.",
        "服务器尚未就绪：{detail}。",
        "请稍后重试。",
    ),
    _C.INTERNAL_ERROR: text(
        "Something went wrong inside the server.",
        "Try again; if it stays, report it with the request id and the server's log.",
        "服务器内部出错。",
        "请重试；如仍出现，请附上请求编号和服务器日志反馈。",
    ),
}
