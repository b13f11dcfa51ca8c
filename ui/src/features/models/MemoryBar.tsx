import { ColorSwatch, Group, Progress, Stack, Text, Tooltip } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { MemoryItemView } from "@/api/generated/types.gen";
import { formatBytes } from "@/lib/format";

interface Props {
  items: readonly MemoryItemView[];
  total: number;
}

const COLOURS = ["indigo", "cyan", "teal", "orange", "grape", "gray", "pink", "lime"];
const colour = (index: number): string => COLOURS[index % COLOURS.length] ?? "gray";

const swatch = (item: MemoryItemView, index: number): string =>
  item.place === "device" ? `var(--mantine-color-${colour(index)}-6)` : "transparent";

/** The memory of one replica, item by item, as a bar and in words. */
export function MemoryBar({ items, total }: Props): ReactElement | null {
  const { t } = useTranslation();
  if (total <= 0) return null;
  // What lies in the machine's memory beside a GPU is listed, and no part of the bar.
  const onDevice = items.filter((item) => item.place === "device");
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text fw={600} size="sm">
          {t("deploy.memory")}
        </Text>
        <Text size="sm">{t("deploy.memoryTotal", { total: formatBytes(total) })}</Text>
      </Group>
      <Progress.Root size={18} aria-hidden>
        {onDevice.map((item, index) => (
          <Tooltip key={item.item} label={`${item.item}: ${formatBytes(item.bytes)}`}>
            <Progress.Section value={(item.bytes / total) * 100} color={colour(index)} />
          </Tooltip>
        ))}
      </Progress.Root>
      <Stack gap={4}>
        {items.map((item, index) => (
          <Group key={item.item} gap="xs" wrap="nowrap" align="flex-start">
            <ColorSwatch size={12} mt={5} color={swatch(item, index)} />
            <Text size="sm" flex={1}>
              {item.why}
            </Text>
            <Text size="sm" ta="right" miw={80}>
              {formatBytes(item.bytes)}
            </Text>
          </Group>
        ))}
      </Stack>
    </Stack>
  );
}
