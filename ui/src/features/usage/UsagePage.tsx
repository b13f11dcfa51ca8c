import { Button, Container, Group, Loader, Paper, SegmentedControl, Select, Stack } from "@mantine/core";
import { IconChartBar, IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { UsageView } from "@/api/generated/types.gen";
import { sessionQuery, usageQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { PageHead } from "@/components/PageHead";
import { currentLanguage } from "@/i18n";
import { mayAct } from "@/lib/roles";
import { DayChart } from "./DayChart";
import type { Group as Grouping, UsageSearch } from "./search";
import { PERIODS } from "./search";
import { daysOf } from "./sums";
import { UsageTable } from "./UsageTable";

const route = getRouteApi("/usage");

function Choices({ days, by }: { days: number; by: Grouping }): ReactElement {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const session = useQuery(sessionQuery);
  const go = (change: UsageSearch): void => {
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  };
  const groups: { value: Grouping; label: string }[] = [
    { value: "model", label: t("usage.byModel") },
    { value: "key", label: t("usage.byKey") },
    ...(mayAct(session.data, "admin") ? [{ value: "user" as const, label: t("usage.byUser") }] : []),
  ];
  return (
    <Group gap="sm">
      <SegmentedControl
        aria-label={t("usage.by")}
        data={groups}
        value={by}
        onChange={(value) => {
          go({ by: value });
        }}
      />
      <Select
        aria-label={t("usage.period")}
        w={130}
        allowDeselect={false}
        data={PERIODS.map((period) => ({ value: String(period), label: t("usage.days", { days: period }) }))}
        value={String(days)}
        onChange={(value) => {
          const period = PERIODS.find((one) => String(one) === value);
          if (period) go({ days: period });
        }}
      />
      <Button
        component="a"
        variant="default"
        leftSection={<IconDownload size={16} />}
        href={`/api/v1/usage/export?days=${days}`}
        download
      >
        {t("usage.export")}
      </Button>
    </Group>
  );
}

function Numbers({ rows, by }: { rows: UsageView[]; by: Grouping }): ReactElement {
  const { t } = useTranslation();
  const format = new Intl.NumberFormat(currentLanguage());
  const count = (value: number): string => format.format(value);
  if (rows.length === 0)
    return <EmptyState icon={<IconChartBar size={32} />} title={t("usage.emptyTitle")} hint={t("usage.emptyHint")} />;
  return (
    <Stack>
      <Paper p="md">
        <DayChart days={daysOf(rows)} />
      </Paper>
      <Paper p="md">
        <UsageTable rows={rows} by={by} count={count} />
      </Paper>
    </Stack>
  );
}

/** What inference used: bars by day, and a table by day and model, key or person. */
export function UsagePage(): ReactElement {
  const { t } = useTranslation();
  const { days = 30, by = "model" } = route.useSearch();
  const usage = useQuery(usageQuery(days, by));
  return (
    <Container size="lg" py="lg">
      <PageHead title={t("usage.title")}>
        <Choices days={days} by={by} />
      </PageHead>
      {usage.isPending && <Loader aria-label={t("common.loading")} />}
      {usage.error && !usage.data && <ErrorAlert error={usage.error} onRetry={() => void usage.refetch()} />}
      {usage.data && <Numbers rows={usage.data} by={by} />}
    </Container>
  );
}
