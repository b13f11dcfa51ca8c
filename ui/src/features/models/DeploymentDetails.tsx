import { Stack, Tabs, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { EventList } from "./EventList";
import { MeasuredMemory } from "./MeasuredMemory";
import { MemoryItems } from "./MemoryItems";
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
        {plan && <Tabs.Tab value="plan">{t("models.plan")}</Tabs.Tab>}
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
