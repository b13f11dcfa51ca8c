import { Badge, Group, Progress, Stack, Table, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { TFunction } from "i18next";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { CorrectionView, MeasuredItemView, StartMemoryView } from "@/api/generated/types.gen";
import { memoryQuery } from "@/api/queries";
import { itemName } from "@/components/DeviceBar";
import { ErrorAlert } from "@/components/ErrorAlert";
import { currentLanguage } from "@/i18n";
import { formatBytes, formatTime } from "@/lib/format";
import { barWidth, deviation, standing } from "./measured";

const COLOURS = { within: "teal", below: "cyan", above: "red", unknown: "gray" } as const;

const nameOf = (t: TFunction, item: string): string =>
  item === "profile" || item === "total" ? t(`measured.item.${item}`) : itemName(t, item);

function Row({ item, widest, several }: { item: MeasuredItemView; widest: number; several: boolean }): ReactElement {
  const { t } = useTranslation();
  const how = standing(item);
  return (
    <Table.Tr data-measured={item.item}>
      <Table.Td>
        <Text size="sm">{nameOf(t, item.item)}</Text>
        {several && (
          <Text size="xs" c="dimmed">
            {item.device}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Text size="sm">{item.estimated === null ? "–" : formatBytes(item.estimated)}</Text>
        {item.high !== null && item.estimated !== null && item.high > item.estimated * 1.005 && (
          <Text size="xs" c="dimmed">
            {t("memory.upTo", { high: formatBytes(item.high) })}
          </Text>
        )}
      </Table.Td>
      <Table.Td>
        <Text size="sm">{formatBytes(item.measured)}</Text>
        <Progress value={barWidth(item, widest)} color={COLOURS[how]} size={4} aria-hidden />
      </Table.Td>
      <Table.Td>
        <Badge size="sm" variant="light" color={COLOURS[how]} tt="none">
          {deviation(item) ?? t(`measured.${how}`)}
        </Badge>
        <Text size="xs" c="dimmed">
          {how !== "unknown" && t(`measured.${how}`)}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}

function Start({ start }: { start: StartMemoryView }): ReactElement {
  const { t } = useTranslation();
  const several = new Set(start.items.map((item) => item.device_id)).size > 1;
  const widest = Math.max(...start.items.map((item) => Math.max(item.measured, item.high ?? 0)), 1);
  return (
    <Stack gap={4}>
      <Text size="xs" c="dimmed">
        {t("measured.start", {
          time: formatTime(start.at, currentLanguage()),
          engine: `${start.engine} ${start.engine_version}`,
          attempt: start.attempt,
          replica: start.replica_id,
        })}
        {start.cache_tokens !== null && ` · ${t("measured.tokens", { tokens: start.cache_tokens.toLocaleString() })}`}
      </Text>
      <Table.ScrollContainer minWidth={460}>
        <Table verticalSpacing={6} horizontalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("measured.column.item")}</Table.Th>
              <Table.Th>{t("measured.column.estimated")}</Table.Th>
              <Table.Th>{t("measured.column.measured")}</Table.Th>
              <Table.Th>{t("measured.column.difference")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {start.items.map((item) => (
              <Row key={`${item.device_id} ${item.item}`} item={item} widest={widest} several={several} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Stack>
  );
}

function Corrections({ corrections }: { corrections: readonly CorrectionView[] }): ReactElement | null {
  const { t } = useTranslation();
  if (corrections.length === 0) return null;
  return (
    <Stack gap={2}>
      <Text size="sm" fw={600}>
        {t("measured.corrections")}
      </Text>
      {corrections.map((one) => (
        <Text size="sm" key={`${one.engine_version} ${String(one.on_gpu)} ${one.item}`} data-correction={one.item}>
          {t("measured.correction", {
            item: nameOf(t, one.item),
            percent: `${one.factor >= 1 ? "+" : ""}${((one.factor - 1) * 100).toFixed(1)} %`,
            starts: one.starts,
            engine: `${one.engine} ${one.engine_version}`,
            architecture: one.architecture,
          })}
        </Text>
      ))}
    </Stack>
  );
}

/** What the latest start of a deployment took beside what was estimated, and what starts taught. */
export function MeasuredMemory({ deployment }: { deployment: string }): ReactElement | null {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(memoryQuery(deployment));
  if (error && !data) return <ErrorAlert error={error} onRetry={() => void refetch()} />;
  if (!data) return null;
  const latest = data.starts[0];
  return (
    <Stack gap="xs" component="section" aria-label={t("measured.title")}>
      <Group justify="space-between" gap="xs">
        <Text fw={600} size="sm">
          {t("measured.title")}
        </Text>
        {data.starts.length > 1 && (
          <Text size="xs" c="dimmed">
            {t("measured.earlier", { count: data.starts.length - 1 })}
          </Text>
        )}
      </Group>
      {latest ? (
        <Start start={latest} />
      ) : (
        <Text size="sm" c="dimmed">
          {t("measured.none")}
        </Text>
      )}
      <Corrections corrections={data.corrections} />
    </Stack>
  );
}
