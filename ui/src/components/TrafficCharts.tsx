import { Paper } from "@mantine/core";
import type { ReactElement } from "react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { TrafficPoint, TrafficView } from "@/api/generated/types.gen";
import { formatNumber, formatSeconds } from "@/lib/format";
import { Chart } from "./chart/Chart";
import type { Series, Tone } from "./chart/options";
import classes from "./TrafficCharts.module.css";

const perSecond = (value: number): string => `${formatNumber(value, 2)}/s`;
const seconds = (milliseconds: number): string => formatSeconds(milliseconds / 1000);
const whole = (value: number): string => formatNumber(value, 1);

interface Props {
  traffic: TrafficView;
  /** Whether the figures are of all models: only then is it known what runs and waits. */
  all: boolean;
}

/** Requests, times and tokens over time; of one model or of all. */
export function TrafficCharts({ traffic, all }: Props): ReactElement {
  const { t } = useTranslation();
  const lines = useMemo(() => {
    const line = (name: string, tone: Tone, value: (point: TrafficPoint) => number | null): Series => ({
      name,
      tone,
      points: traffic.points.map((point) => [point.at, value(point)]),
    });
    const failed = (point: TrafficPoint): number => point.failed / traffic.step;
    return {
      requests: [
        line(t("traffic.succeeded"), "blue", (point) => point.requests_per_second - failed(point)),
        line(t("traffic.failed"), "red", failed),
      ],
      ttft: [
        line(t("traffic.half"), "teal", (point) => point.ttft_p50_ms),
        line(t("traffic.slowest"), "orange", (point) => point.ttft_p95_ms),
      ],
      tokens: [
        line(t("traffic.prompts"), "blue", (point) => point.prompt_tokens_per_second),
        line(t("traffic.answers"), "teal", (point) => point.completion_tokens_per_second),
      ],
      speed: [line(t("traffic.oneAnswer"), "violet", (point) => point.tokens_per_second)],
      load: [
        line(t("traffic.running"), "violet", (point) => point.in_flight),
        line(t("traffic.waiting"), "orange", (point) => point.waiting),
      ],
    };
  }, [traffic, t]);
  return (
    <div className={classes.charts}>
      <Paper p="md">
        <Chart title={t("traffic.requests")} series={lines.requests} format={perSecond} />
      </Paper>
      <Paper p="md">
        <Chart title={t("traffic.ttft")} series={lines.ttft} format={seconds} />
      </Paper>
      <Paper p="md">
        <Chart title={t("traffic.tokens")} series={lines.tokens} format={perSecond} />
      </Paper>
      <Paper p="md">
        {all ? (
          <Chart title={t("traffic.load")} series={lines.load} format={whole} />
        ) : (
          <Chart title={t("traffic.speed")} series={lines.speed} format={perSecond} />
        )}
      </Paper>
    </div>
  );
}
