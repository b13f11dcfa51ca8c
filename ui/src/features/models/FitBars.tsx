import { Group, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { FitReport } from "@/api/generated/types.gen";
import { DeviceBar } from "@/components/DeviceBar";
import { formatBytes } from "@/lib/format";
import type { Bar } from "@/lib/memory";
import { barsOf } from "@/lib/memory";

function OneBar({ bar, nodes }: { bar: Bar; nodes: boolean }): ReactElement {
  const { t } = useTranslation();
  const name = bar.isCpu ? t("memory.host") : t("memory.gpu", { index: bar.index });
  const where = [bar.device, nodes ? bar.node : ""].filter(Boolean).join(" · ");
  const sizes = { wanted: formatBytes(bar.wanted), free: formatBytes(bar.free), over: formatBytes(bar.over) };
  const told = bar.over > 0 ? t("memory.wantsMore", sizes) : t("memory.wants", sizes);
  return (
    <Stack gap={4} data-device={bar.id}>
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          <b>{name}</b>{" "}
          <Text span size="sm" c="dimmed">
            {where}
          </Text>
        </Text>
        <Text size="sm" c={bar.over > 0 ? "red" : "dimmed"}>
          {told}
        </Text>
      </Group>
      <DeviceBar label={`${name} ${where}: ${told}`} stretches={bar.stretches} over={bar.over} />
    </Stack>
  );
}

/** The memory of every device that the deployment would use: others, its own parts, and what stays free. */
export function FitBars({ report }: { report: FitReport }): ReactElement | null {
  const { t } = useTranslation();
  const bars = barsOf(report);
  if (bars.length === 0) return null;
  const severalNodes = new Set(bars.map((bar) => bar.node)).size > 1;
  return (
    <Stack gap="sm" data-bars={bars.length}>
      {bars.map((bar) => (
        <OneBar key={bar.id} bar={bar} nodes={severalNodes} />
      ))}
      <Text size="xs" c="dimmed">
        {t("memory.barHint")}
      </Text>
    </Stack>
  );
}
