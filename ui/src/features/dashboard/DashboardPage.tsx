import { Button, Container, Group, Paper, Skeleton, Stack } from "@mantine/core";
import { IconCube } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { OverviewView, Span } from "@/api/generated/types.gen";
import { overviewQuery, trafficQuery } from "@/api/overview";
import { sessionQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { PageHead } from "@/components/PageHead";
import { SpanSwitch } from "@/components/SpanSwitch";
import { TrafficCharts } from "@/components/TrafficCharts";
import { mayAct } from "@/lib/roles";
import { Attention } from "./Attention";
import classes from "./Dashboard.module.css";
import { RecentEvents, TopList } from "./Lists";
import { Devices, Standing } from "./Standing";
import { Tiles } from "./Tiles";

const route = getRouteApi("/dashboard");

/** Before anything is deployed there is one next step. */
function FirstStep(): ReactElement {
  const { t } = useTranslation();
  return (
    <Paper>
      <EmptyState icon={<IconCube size={32} />} title={t("models.emptyTitle")} hint={t("models.emptyHint")}>
        <Group>
          <Button renderRoot={(props) => <Link to="/catalog" {...props} />}>{t("catalog.title")}</Button>
          <Button
            variant="default"
            renderRoot={(props) => <Link to="/models" search={{ deploy: "demo" }} {...props} />}
          >
            {t("deploy.demo")}
          </Button>
        </Group>
      </EmptyState>
    </Paper>
  );
}

function Traffic({ span }: { span: Span }): ReactElement {
  const navigate = route.useNavigate();
  const { t } = useTranslation();
  const traffic = useQuery(trafficQuery(span, null));
  if (traffic.error && !traffic.data) return <ErrorAlert error={traffic.error} />;
  return (
    <>
      {traffic.data ? <Tiles traffic={traffic.data} /> : <Skeleton height={86} aria-label={t("common.loading")} />}
      <Group justify="flex-end">
        <SpanSwitch span={span} onChange={(next) => void navigate({ search: { span: next }, replace: true })} />
      </Group>
      {traffic.data ? <TrafficCharts traffic={traffic.data} all /> : <Skeleton height={470} />}
    </>
  );
}

function Whole({ overview }: { overview: OverviewView }): ReactElement {
  const { span = "hour" } = route.useSearch();
  const session = useQuery(sessionQuery);
  const isEmpty = Object.keys(overview.deployments).length === 0;
  return (
    <Stack gap="sm">
      {isEmpty && mayAct(session.data, "operator") && <FirstStep />}
      <div className={classes.halves}>
        <Devices overview={overview} />
        <Standing overview={overview} />
      </div>
      <Attention items={overview.attention} />
      <Traffic span={span} />
      <div className={classes.halves}>
        <TopList by="model" />
        <TopList by="key" />
      </div>
      <RecentEvents audit={mayAct(session.data, "admin")} />
    </Stack>
  );
}

/** The whole at one look: machines, models, requests, and what needs somebody. */
export function DashboardPage(): ReactElement {
  const { t } = useTranslation();
  const overview = useQuery(overviewQuery);
  return (
    <Container size="xl" py="lg">
      <PageHead title={t("dashboard.title")} />
      {overview.isPending && <Skeleton height={600} role="status" aria-label={t("common.loading")} />}
      {overview.error && !overview.data && (
        <ErrorAlert error={overview.error} onRetry={() => void overview.refetch()} />
      )}
      {overview.data && <Whole overview={overview.data} />}
    </Container>
  );
}
