import { Stack, Tabs, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { ApiTab } from "./ApiTab";
import { EventList } from "./EventList";
import { LogTab } from "./LogTab";
import { MeasuredMemory } from "./MeasuredMemory";
import { MemoryItems } from "./MemoryItems";
import { MetricsTab } from "./MetricsTab";
import { ParameterTable } from "./ParameterTable";
import { ReplicaPanel } from "./ReplicaPanel";
import type { Tab } from "./search";

const route = getRouteApi("/models");

/** Everything about one deployment: its replicas, how it is run, what happened. */
export function DeploymentDetails({ deployment }: { deployment: DeploymentView }): ReactElement {
  const { t } = useTranslation();
  const { tab = "replicas" } = route.useSearch();
  const navigate = route.useNavigate();
  const { plan, replicas } = deployment;
  return (
    <Tabs
      value={tab}
      onChange={(value) => void navigate({ search: (old) => ({ ...old, tab: value as Tab }), replace: true })}
      px="md"
      pb="md"
      keepMounted={false}
    >
      <Tabs.List mb="md">
        <Tabs.Tab value="replicas">{t("models.replicas")}</Tabs.Tab>
        <Tabs.Tab value="logs">{t("models.logs")}</Tabs.Tab>
        <Tabs.Tab value="metrics">{t("models.metrics")}</Tabs.Tab>
        {plan && <Tabs.Tab value="plan">{t("models.plan")}</Tabs.Tab>}
        <Tabs.Tab value="api">{t("models.api")}</Tabs.Tab>
        <Tabs.Tab value="events">{t("models.events")}</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="replicas">
        <Stack>
          {replicas.length === 0 && <Text c="dimmed">{t("replica.none")}</Text>}
          {replicas.map((replica) => (
            <ReplicaPanel key={replica.id} replica={replica} />
          ))}
        </Stack>
      </Tabs.Panel>
      <Tabs.Panel value="logs">
        <LogTab replicas={replicas} />
      </Tabs.Panel>
      <Tabs.Panel value="metrics">
        <MetricsTab model={deployment.name} />
      </Tabs.Panel>
      <Tabs.Panel value="api">
        <ApiTab deployment={deployment} />
      </Tabs.Panel>
      {plan && (
        <Tabs.Panel value="plan">
          <Stack>
            <MemoryItems items={plan.memory} total={plan.memory_total} high={plan.memory_high} gpus={plan.gpus} />
            <MeasuredMemory deployment={deployment.name} />
            <ParameterTable parameters={plan.parameters} />
          </Stack>
        </Tabs.Panel>
      )}
      <Tabs.Panel value="events">
        <EventList deployment={deployment.name} />
      </Tabs.Panel>
    </Tabs>
  );
}
