import type { ServerResponse } from "node:http";
import type { OverviewView, TrafficPoint } from "../api/generated/types.gen";
import { CRASHED, NOW } from "./data.ts";
import { GIB } from "./fit.ts";
import { json } from "./http.ts";

const OVERVIEW: OverviewView = {
  devices: [{ kind: "gpu", devices: 2, total: 158 * GIB, used: 32 * GIB, claimed: 45 * GIB, free: 111 * GIB }],
  nodes: 1,
  nodes_alive: 1,
  replicas: { ready: 2, downloading: 1, failed: 1 },
  deployments: { ready: 1, downloading: 1, failed: 1, stopped: 1 },
  attention: [{ about: "deployment", name: "broken", reasons: [CRASHED] }],
};

const STEPS = { hour: { step: 30, count: 120 }, day: { step: 600, count: 144 } } as const;

function point(at: number, index: number): TrafficPoint {
  const busy = 3 + 2 * Math.sin(index / 9) + (index % 5) / 4;
  return {
    at,
    requests: Math.round(busy * 30),
    failed: index % 17 === 0 ? 2 : 0,
    images: Math.round(busy * 20),
    requests_per_second: busy,
    prompt_tokens_per_second: busy * 400,
    completion_tokens_per_second: busy * 120,
    ttft_p50_ms: 180 + busy * 20,
    ttft_p95_ms: 400 + busy * 60,
    tokens_per_second: 90 - busy * 4,
    in_flight: busy * 1.5,
    waiting: Math.max(0, busy - 4),
  };
}

/** The start page's figures, and figures over time. */
export function overview(url: URL, response: ServerResponse): boolean {
  const path = url.pathname.replace("/api/v1", "");
  const span = url.searchParams.get("span") === "day" ? "day" : "hour";
  const { step, count } = STEPS[span];
  const steps = Array.from({ length: count }, (_, index) => NOW - (count - index) * step);
  if (path === "/overview") json(response, 200, OVERVIEW);
  else if (path === "/traffic") json(response, 200, { span, step, points: steps.map(point) });
  else if (path.endsWith("/history")) {
    const points = steps.map((at, index) => ({
      at,
      used: (30 + 3 * Math.sin(index / 7)) * GIB,
      utilization: 50 + 30 * Math.sin(index / 5),
      temperature_c: 55 + 5 * Math.sin(index / 11),
      power_w: 380 + 60 * Math.sin(index / 6),
    }));
    json(response, 200, { span, step, points });
  } else return false;
  return true;
}
