import { Group, Skeleton, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { trafficQuery } from "@/api/overview";
import { ErrorAlert } from "@/components/ErrorAlert";
import { SpanSwitch } from "@/components/SpanSwitch";
import { TrafficCharts } from "@/components/TrafficCharts";

const route = getRouteApi("/models");

/** Requests to one model over time. */
export function MetricsTab({ model }: { model: string }): ReactElement {
  const { span = "hour" } = route.useSearch();
  const navigate = route.useNavigate();
  const traffic = useQuery(trafficQuery(span, model));
  if (traffic.error && !traffic.data) return <ErrorAlert error={traffic.error} />;
  return (
    <Stack gap="sm">
      <Group justify="flex-end">
        <SpanSwitch
          span={span}
          onChange={(next) => void navigate({ search: (old) => ({ ...old, span: next }), replace: true })}
        />
      </Group>
      {traffic.data ? <TrafficCharts traffic={traffic.data} all={false} /> : <Skeleton height={470} />}
    </Stack>
  );
}
