import { Anchor, Paper, Skeleton, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { latestEventsQuery } from "@/api/people";
import { usageQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { EventLine } from "@/components/EventLine";
import { formatNumber } from "@/lib/format";
import classes from "./Dashboard.module.css";
import type { Top } from "./figures";
import { topOf } from "./figures";

const DAYS = 7;
const EVENTS = 8;

function Rows({ rows, by }: { rows: readonly Top[]; by: "model" | "key" }): ReactElement {
  const { t } = useTranslation();
  const name = (top: Top): string => {
    if (top.name) return top.name;
    return top.id ? t("usage.removed", { id: top.id }) : t("usage.page");
  };
  return (
    <Table verticalSpacing={6}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t(by === "model" ? "usage.byModel" : "usage.byKey")}</Table.Th>
          <Table.Th className={classes.number ?? ""}>{t("usage.requests")}</Table.Th>
          <Table.Th className={classes.number ?? ""}>{t("dashboard.tokens")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map((top) => (
          <Table.Tr key={top.id}>
            <Table.Td className={classes.name ?? ""}>{name(top)}</Table.Td>
            <Table.Td className={classes.number ?? ""}>{formatNumber(top.requests, 0)}</Table.Td>
            <Table.Td className={classes.number ?? ""}>{formatNumber(top.tokens, 0)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** Which models or keys used most in the last days. */
export function TopList({ by }: { by: "model" | "key" }): ReactElement {
  const { t } = useTranslation();
  const usage = useQuery(usageQuery(DAYS, by));
  const rows = usage.data ? topOf(usage.data, by) : [];
  return (
    <Paper p="md" component="section">
      <Title order={2} size="h5" mb="xs">
        {t(by === "model" ? "dashboard.topModels" : "dashboard.topKeys", { days: DAYS })}
      </Title>
      {usage.isPending && <Skeleton height={120} />}
      {usage.error && !usage.data && <ErrorAlert error={usage.error} />}
      {usage.data && rows.length === 0 && (
        <Text size="sm" c="dimmed">
          {t("usage.emptyHint")}
        </Text>
      )}
      {rows.length > 0 && <Rows rows={rows} by={by} />}
    </Paper>
  );
}

/** What happened last. */
export function RecentEvents({ audit }: { audit: boolean }): ReactElement {
  const { t } = useTranslation();
  const events = useQuery(latestEventsQuery(EVENTS));
  return (
    <Paper p="md" component="section">
      <Title order={2} size="h5" mb="xs">
        {t("dashboard.events")}
      </Title>
      {events.isPending && <Skeleton height={160} />}
      {events.error && !events.data && <ErrorAlert error={events.error} />}
      {events.data?.length === 0 && <Text c="dimmed">{t("events.none")}</Text>}
      {events.data?.map((event) => (
        <EventLine key={event.id} event={event} />
      ))}
      {audit && (
        <Anchor size="sm" renderRoot={(props) => <Link to="/audit" {...props} />}>
          {t("dashboard.allEvents")}
        </Anchor>
      )}
    </Paper>
  );
}
