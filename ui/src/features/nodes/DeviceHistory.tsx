import { Group, Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { DevicePoint, DeviceView, Span } from "@/api/generated/types.gen";
import { deviceHistoryQuery } from "@/api/overview";
import { Chart } from "@/components/chart/Chart";
import type { Series, Tone } from "@/components/chart/options";
import { ErrorAlert } from "@/components/ErrorAlert";
import { SpanSwitch } from "@/components/SpanSwitch";
import { formatBytes, formatNumber } from "@/lib/format";
import classes from "./Nodes.module.css";

const percent = (value: number): string => `${formatNumber(value, 0)} %`;
const degrees = (value: number): string => `${formatNumber(value, 0)} °C`;
const watts = (value: number): string => `${formatNumber(value, 0)} W`;

/** Memory, load, temperature and power of a device over time; what the device does not tell is left out. */
export function DeviceHistory({ view }: { view: DeviceView }): ReactElement {
  const { t } = useTranslation();
  const [span, setSpan] = useState<Span>("hour");
  const history = useQuery(deviceHistoryQuery(view.node_id, view.device.id, span));
  const points = history.data?.points;
  const lines = useMemo(() => {
    const line = (name: string, tone: Tone, value: (point: DevicePoint) => number | null): Series[] => {
      const told = (points ?? []).map((point) => [point.at, value(point)] as const);
      return told.some(([, known]) => known !== null) ? [{ name, tone, points: told }] : [];
    };
    return {
      memory: line(t("nodes.inUse"), "teal", (point) => point.used),
      load: line(t("nodes.load"), "violet", (point) => point.utilization),
      heat: line(t("nodes.temperature"), "orange", (point) => point.temperature_c),
      power: line(t("nodes.power"), "red", (point) => point.power_w),
    };
  }, [points, t]);
  if (history.error && !history.data) return <ErrorAlert error={history.error} />;
  if (!points) return <Skeleton height={360} />;
  const height = 120;
  return (
    <Stack gap="xs">
      <Group justify="flex-end">
        <SpanSwitch span={span} onChange={setSpan} />
      </Group>
      <div className={classes.charts}>
        <Chart
          title={t("nodes.memoryOver")}
          series={lines.memory}
          format={formatBytes}
          most={view.device.allocatable}
          height={height}
        />
        {lines.load.length > 0 && (
          <Chart title={t("nodes.load")} series={lines.load} format={percent} most={100} height={height} />
        )}
        {lines.heat.length > 0 && (
          <Chart title={t("nodes.temperature")} series={lines.heat} format={degrees} height={height} />
        )}
        {lines.power.length > 0 && (
          <Chart title={t("nodes.power")} series={lines.power} format={watts} height={height} />
        )}
      </div>
    </Stack>
  );
}
