"""What is measured: the gateway with everything off and on, and what else stands in such places."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.gateway.machines import Target, free_port, pinned

from aimindserve.domain.limits import Limits
from aimindserve.domain.routing import Endpoint, KeyGrant, Route, RouteState, RoutingTable, UserGrant
from aimindserve.gateway.table import save_table

KEY = "sk-bench"
MODEL = "bench-model"
TRACE = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ENVIRONMENTS = Path(__file__).resolve().parents[2] / ".cache" / "bench"
# From PyPI, each in an environment of its own: they pin what they need against each other.
PACKAGES = {"sglang-router": "sglang-router", "vllm-router": "vllm-router", "litellm": "litellm[proxy]"}
_LUA_MODULES = Path("/usr/lib/nginx/modules")

_NGINX = """
{modules}
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/log warn;
events {{ worker_connections 24000; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 600s; tcp_nodelay on; client_max_body_size 0;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {http}
  upstream e {{ {upstream} keepalive 2048; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ {location} proxy_pass http://e; proxy_http_version 1.1; proxy_set_header Connection "";
                  proxy_buffering off; proxy_read_timeout 600s; }}
  }}
}}
"""
# What our gateway does too: a hashed key out of ten thousand, the model out of the body, requests in flight, usage.
_LUA_HTTP = """
  client_body_buffer_size 64m; client_body_in_single_buffer on;
  lua_shared_dict keys 10m; lua_shared_dict inflight 1m; lua_shared_dict usage 10m;
  lua_package_path "/usr/share/lua/5.1/?.lua;;"; lua_package_cpath "/usr/lib/x86_64-linux-gnu/lua/5.1/?.so;;";
  init_by_lua_block {
    local k = ngx.shared.keys
    k:set(ngx.sha1_bin("sk-bench"), 1)
    for i = 1, 10000 do k:set(ngx.sha1_bin(string.format("sk-%06d", i)), i) end
  }
"""
_LUA_UPSTREAM = """server 0.0.0.1;
    balancer_by_lua_block { require("ngx.balancer").set_current_peer("127.0.0.1", ENGINE) }"""
_LUA_LOCATION = """
      access_by_lua_block {
        local a = ngx.var.http_authorization
        local u = a and ngx.shared.keys:get(ngx.sha1_bin(string.sub(a, 8)))
        if not u then return ngx.exit(401) end
        ngx.req.read_body()
        local b = ngx.req.get_body_data()
        local name = '"model"%s*:%s*"([^"]+)"'
        local m = b and string.match(string.sub(b, 1, 4096), name) or b and string.match(string.sub(b, -4096), name)
        if m ~= "bench-model" then return ngx.exit(404) end
        ngx.ctx.m = m; ngx.ctx.u = u
        ngx.shared.inflight:incr(m, 1, 0)
      }
      body_filter_by_lua_block {
        local c, t = ngx.arg[1], ngx.ctx.t
        if c and #c > 0 then ngx.ctx.t = (t and #c < 1024) and string.sub(t .. c, -1536) or c end
      }
      log_by_lua_block {
        local t, m = ngx.ctx.t, ngx.ctx.m
        if m then
          ngx.shared.inflight:incr(m, -1, 0)
          local p = string.match(t or "", '"prompt_tokens":%s*(%d+)')
          local c = string.match(t or "", '"completion_tokens":%s*(%d+)')
          if p then ngx.shared.usage:incr("p" .. ngx.ctx.u, tonumber(p), 0) end
          if c then ngx.shared.usage:incr("c" .. ngx.ctx.u, tonumber(c), 0) end
        end
      }
      proxy_set_header Authorization "";"""


@dataclass(frozen=True)
class Kind:
    """How one kind of target is started: on a core, in an empty folder, in front of an engine's port. ``headers``: sent
    with each request; ``slow``: only the cases that end within seconds."""

    start: Callable[[Path, int, int], AbstractContextManager[Target]]
    headers: tuple[str, ...] = ()
    slow: bool = False


def _gateway(name: str, *, everything: bool) -> Kind:
    def start(folder: Path, core: int, engine: int) -> AbstractContextManager[Target]:
        port = free_port()
        file = _gateway_settings(folder, port, engine, everything=everything)
        argv = [sys.executable, "-m", "aimindserve.gateway", "--settings", str(file)]
        return pinned(name, core, argv, port, folder / "log")

    return Kind(start, (TRACE,) if everything else ())


def _gateway_settings(folder: Path, port: int, engine: int, *, everything: bool) -> Path:
    pepper = b"b" * 32
    (folder / "keys").mkdir()
    (folder / "keys" / "pepper").write_bytes(pepper)
    limits = Limits(10**9, 10**12, 10**9, 100_000, 10**15) if everything else None

    def grant(number: int, token: str) -> KeyGrant:
        digest = hmac.new(pepper, token.encode(), hashlib.sha256).hexdigest()
        return KeyGrant(f"k{number}", digest, f"u{number % 100}", ("inference",), limits=limits)

    # Ten thousand keys and four replicas, so that look-ups and the choice are not of nothing.
    keys = (*(grant(number, f"sk-{number:06d}") for number in range(10_000)), grant(10_000, KEY))
    users = tuple(UserGrant(f"u{number}", limits) for number in range(100)) if limits else ()
    slots = 10_000 if everything else 0
    replicas = tuple(
        Endpoint(f"r{number}", "127.0.0.1", engine, "engine-key", "vllm" if everything else "", slots)
        for number in range(4 if everything else 1)
    )
    routes = (Route(MODEL, "d", RouteState.READY, replicas),)
    save_table(folder / "routing-table.json", RoutingTable(1, routes, keys, users=users))
    settings = {
        "host": "127.0.0.1",
        "port": port,
        "data_dir": str(folder),
        "run_dir": str(folder),
        "key_concurrency": 100_000,
        "body_budget_bytes": 1 << 30,
        "request_log_sample": 0.1 if everything else 0.0,
    }
    file = folder / "settings.json"
    file.write_text(json.dumps(settings))
    return file


def _nginx(name: str, *, lua: bool = False) -> Kind:
    def start(folder: Path, core: int, engine: int) -> AbstractContextManager[Target]:
        port, file = free_port(), folder / "nginx.conf"
        modules = [f"load_module {_LUA_MODULES}/{one}.so;" for one in ("ndk_http_module", "ngx_http_lua_module")]
        file.write_text(
            _NGINX.format(
                folder=folder,
                port=port,
                modules="\n".join(modules) if lua else "",
                http=_LUA_HTTP if lua else "",
                upstream=_LUA_UPSTREAM.replace("ENGINE", str(engine)) if lua else f"server 127.0.0.1:{engine};",
                location=_LUA_LOCATION if lua else "proxy_request_buffering off;",
            )
        )
        return pinned(
            name, core, [_nginx_program() or "nginx", "-c", str(file), "-p", str(folder)], port, folder / "log"
        )

    return Kind(start)


def _nginx_program() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def _router(name: str, *argv: str) -> Kind:
    def start(folder: Path, core: int, engine: int) -> AbstractContextManager[Target]:
        port = free_port()
        options = [
            *("--worker-urls", f"http://127.0.0.1:{engine}", "--policy", "round_robin", "--host", "127.0.0.1"),
            *("--port", str(port), "--log-level", "error", "--max-payload-size", str(1 << 28)),
            *("--max-concurrent-requests", "8192", "--prometheus-port", str(free_port())),
        ]
        program = [str(ENVIRONMENTS / name / "bin" / argv[0]), *argv[1:]]
        return pinned(name, core, [*program, *options], port, folder / "log")

    return Kind(start)


def _litellm(folder: Path, core: int, engine: int) -> AbstractContextManager[Target]:
    port, file = free_port(), folder / "litellm.yaml"
    model = {"model": f"openai/{MODEL}", "api_base": f"http://127.0.0.1:{engine}/v1", "api_key": "sk-x"}
    settings = {
        "model_list": [{"model_name": MODEL, "litellm_params": model}],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"telemetry": False, "drop_params": False},
    }
    file.write_text(json.dumps(settings))  # JSON is YAML
    more = {"LITELLM_LOG": "ERROR", "LITELLM_TELEMETRY": "False", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    argv = [str(ENVIRONMENTS / "litellm" / "bin" / "litellm"), "--config", str(file), "--host", "127.0.0.1"]
    argv += ["--port", str(port), "--num_workers", "1"]
    return pinned("litellm", core, argv, port, folder / "log", {**more, "LITELLM_MODE": "PRODUCTION"})


KINDS: dict[str, Kind] = {
    "gateway": _gateway("gateway", everything=True),
    "gateway-plain": _gateway("gateway-plain", everything=False),
    "nginx": _nginx("nginx"),
    "nginx-lua": _nginx("nginx-lua", lua=True),
    "sglang-router": _router("sglang-router", "python", "-m", "sglang_router.launch_router"),
    "vllm-router": _router("vllm-router", "vllm-router"),
    "litellm": Kind(_litellm, slow=True),
}


def available(names: list[str]) -> list[str]:
    """Those of ``names`` that can run here."""
    there = {
        "nginx": _nginx_program() is not None,
        "nginx-lua": _nginx_program() is not None and (_LUA_MODULES / "ngx_http_lua_module.so").exists(),
        **{name: (ENVIRONMENTS / name / "bin" / "python").exists() for name in PACKAGES},
    }
    return [name for name in names if there.get(name, True)]


def install() -> None:
    """Make the environments of ``PACKAGES``, as far as they are missing and can be had."""
    for name, package in PACKAGES.items():
        folder = ENVIRONMENTS / name
        if not (folder / "bin" / "python").exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        done = subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "-q", package], check=False)
        print(f"{name}: {'installed' if done.returncode == 0 else 'cannot be installed here'}")


def versions() -> dict[str, str]:
    """What was measured, as far as it tells its version."""
    found: dict[str, str] = {}
    for name, package in PACKAGES.items():
        for folder in (ENVIRONMENTS / name).glob(
            f"lib/*/site-packages/{package.partition('[')[0].replace('-', '_')}-*.dist-info"
        ):
            found[name] = folder.name.removesuffix(".dist-info").rpartition("-")[2]
    if nginx := _nginx_program():
        with contextlib.suppress(OSError):
            told = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=False).stderr
            found["nginx"] = found["nginx-lua"] = told.strip().rpartition("/")[2]
    return found
