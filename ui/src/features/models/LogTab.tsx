import { Select, Stack, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ReplicaView } from "@/api/generated/types.gen";
import { LogViewer } from "./LogViewer";

const route = getRouteApi("/models");

/** The log of one of the replicas, chosen in the page's address. */
export function LogTab({ replicas }: { replicas: readonly ReplicaView[] }): ReactElement {
  const { t } = useTranslation();
  const { log } = route.useSearch();
  const navigate = route.useNavigate();
  const chosen = replicas.find(({ id }) => id === log) ?? replicas[0];
  if (!chosen) return <Text c="dimmed">{t("replica.none")}</Text>;
  const label = ({ id, node }: ReplicaView): string => [t("replica.title", { id }), node].filter(Boolean).join(" · ");
  return (
    <Stack gap="xs">
      {replicas.length > 1 && (
        <Select
          size="xs"
          maw={360}
          aria-label={t("models.replicas")}
          allowDeselect={false}
          data={replicas.map((replica) => ({ value: replica.id, label: label(replica) }))}
          value={chosen.id}
          onChange={(id) => {
            if (id) void navigate({ search: (old) => ({ ...old, log: id }), replace: true });
          }}
        />
      )}
      <LogViewer key={chosen.id} replica={chosen.id} />
    </Stack>
  );
}
