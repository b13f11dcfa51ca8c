import { Group, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { MemoryItemView } from "@/api/generated/types.gen";
import { itemName, Swatch } from "@/components/DeviceBar";
import { formatBytes } from "@/lib/format";

interface Props {
  items: readonly MemoryItemView[];
  /** Likely bytes on each device, and those that are claimed there. */
  total: number;
  high: number;
  gpus: number;
  /** Whether the model's sizes are known. */
  certain?: boolean;
}

function Line({ item }: { item: MemoryItemView }): ReactElement {
  const { t } = useTranslation();
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start" data-item={item.item}>
      <Swatch code={item.item} />
      <Text size="sm" flex={1} miw={0}>
        {itemName(t, item.item)}{" "}
        <Text span size="sm" c="dimmed">
          {item.why}
        </Text>
        {item.corrections.map((told) => (
          <Text key={told} span display="block" size="xs" c="cyan" data-corrected={item.item}>
            {told}
          </Text>
        ))}
      </Text>
      <Stack gap={0} align="flex-end" miw={90}>
        <Text size="sm">{formatBytes(item.bytes)}</Text>
        {formatBytes(item.high) !== formatBytes(item.bytes) && (
          <Text size="xs" c="dimmed">
            {t("memory.upTo", { high: formatBytes(item.high) })}
          </Text>
        )}
      </Stack>
    </Group>
  );
}

function Lines({ title, items }: { title: string; items: readonly MemoryItemView[] }): ReactElement | null {
  if (items.length === 0) return null;
  return (
    <Stack gap={4}>
      <Text size="xs" c="dimmed" fw={600}>
        {title}
      </Text>
      {items.map((item) => (
        <Line key={item.item} item={item} />
      ))}
    </Stack>
  );
}

/** The memory of one replica, item by item, in words. */
export function MemoryItems({ items, total, high, gpus, certain = true }: Props): ReactElement | null {
  const { t } = useTranslation();
  if (total <= 0) return null;
  const onDevice = items.filter((item) => item.place === "device");
  const beside = items.filter((item) => item.place === "host");
  const sizes = { total: formatBytes(total), high: formatBytes(high) };
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <Text fw={600} size="sm">
          {t("deploy.memory")}
        </Text>
        <Text size="sm">{gpus > 1 ? t("memory.totalEach", { ...sizes, gpus }) : t("memory.total", sizes)}</Text>
      </Group>
      {!certain && (
        <Text size="xs" c="dimmed">
          {t("memory.uncertain")}
        </Text>
      )}
      <Lines title={t(gpus > 0 ? "memory.onGpu" : "memory.onCpu")} items={onDevice} />
      <Lines title={t("memory.beside")} items={beside} />
    </Stack>
  );
}
