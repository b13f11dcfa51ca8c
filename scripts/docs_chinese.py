"""Chinese words of the generated tables, for what the code says in English only."""

from aimindserve.engines._flags import Kind

POLICIES = {
    "public": "任何人",
    "session": "已登录",
    "user": "用户",
    "operator": "运维人员或管理员",
    "admin": "管理员",
    "metrics": "管理员，或 metrics 范围的密钥",
}
VALUES = {
    Kind.SWITCH: "开关（无取值）",
    Kind.INTEGER: "整数",
    Kind.NUMBER: "数字",
    Kind.SIZE: "整数，可写 8k、8K",
    Kind.JSON: "JSON",
    Kind.TEXT: "文本",
}
SETTINGS = {
    "host": "监听地址。",
    "port": "对外端口：root 为 80，否则 8080。",
    "data_dir": "保存一切数据的目录：root 为 /var/lib/aimindserve，否则 ~/.local/share/aimindserve。",
    "run_dir": "套接字目录。留空：在数据目录内。",
    "database_url": "postgresql://user:password@host/name。留空：数据目录中的 SQLite。",
    "public_url": "前面有反向代理时，用户访问本服务的地址。",
    "allowed_hosts": "除本机名称和地址外，本服务还应答的主机名。",
    "demo": "首次启动时部署演示模型。",
    "huggingface_token": "访问受限模型的令牌。也可用 HF_TOKEN。",
    "modelscope_token": "ModelScope（魔搭）令牌。也可用 MODELSCOPE_API_TOKEN。",
    "huggingface_token_file": "存有 Hugging Face 令牌的文件，例如容器的 secret。",
    "modelscope_token_file": "存有 ModelScope 令牌的文件。",
    "huggingface_endpoint": "Hugging Face 或镜像站的地址。也可用 HF_ENDPOINT。",
    "modelscope_endpoint": "ModelScope 的地址。也可用 MODELSCOPE_ENDPOINT。",
    "hub_proxy": "访问模型站的代理：http://host:port。留空：按 HTTPS_PROXY。",
    "download_rate_limit": "所有下载合计每秒最多字节数，例如 20MiB。留空：不限。",
    "offline": "不向任何模型站发出请求。也可用 HF_HUB_OFFLINE。",
    "huggingface_cache": "原地使用其中文件的 Hugging Face 缓存目录。"
    "默认：HF_HUB_CACHE、HF_HOME/hub 或 ~/.cache/huggingface/hub。",
    "node_labels": "本机的标签，例如 zone=a,tier=gold；部署可要求具有某些标签的机器。",
    "log_level": "日志级别。",
    "gateway_processes": "网关进程数。",
    "declared_fleet": "用来模拟硬件的 JSON 文件，供测试和预览。",
    "llama_server": "llama-server 或 llama-box 程序的路径。留空：在 PATH 中查找。",
    "llama_threads": "llama.cpp 引擎的 CPU 线程数。",
    "body_budget_bytes": "一个网关同时持有的请求体总字节数。",
    "max_body_bytes": "推理请求体的最大字节数。",
    "max_header_bytes": "请求头的最大字节数。",
    "max_headers": "请求头的最多行数。",
    "usage_spool_bytes": "服务端暂时不可用时，网关在磁盘上暂存用量的字节数。",
    "request_log_sample": "记入 logs/requests.jsonl 的推理请求比例，不含内容。",
    "header_timeout": "等待请求头到齐的秒数。",
    "body_idle_timeout": "请求体中断的最长秒数。",
    "keepalive_timeout": "空闲连接保留的秒数。",
    "stream_idle_timeout": "引擎回答中断的最长秒数。",
    "trusted_proxies": "可信的反向代理（地址或 CIDR），由它们的 X-Forwarded-For 得知请求来源。",
    "media_policy": "请求以地址给出的图片：从公网获取（public）、仅从 media_hosts（allowlist）、从不（off）。",
    "media_hosts": "allowlist 策略下允许获取图片的地方：pictures.example.com、*.example.com、10.1.0.0/16，"
    "端口不是 80 或 443 时加 :port。内网地址需要在这里列出其网段。",
    "key_concurrency": "一个密钥同时运行的请求数，除非密钥另有规定。",
    "key_queue": "一个密钥排队等待的请求数。",
}
