import { Button, Group, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { DeploymentView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { notifyDone } from "@/components/notify";

/** After a start without enough memory: the change of the user's own parameters that would let it start. */
export function OfferedChange({ deployment }: { deployment: DeploymentView }): ReactElement | null {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { name, revision, offered_parameters: offered } = deployment;
  const apply = useMutation({
    mutationFn: (parameters: string[]) => api.editDeployment(name, revision, { parameters }),
    onSuccess: () => {
      notifyDone(t("deploy.edited", { name }));
    },
    onSettled: () => queries.invalidateQueries(deploymentsQuery),
  });
  if (!offered || deployment.phase !== "failed") return null;
  return (
    <Group px="md" pb="md" gap="sm" data-offered={name}>
      <Text size="sm" flex={1} miw={220}>
        {t("measured.offered", { parameters: offered.join(" ") })}
      </Text>
      <Button
        size="xs"
        loading={apply.isPending}
        onClick={() => {
          apply.mutate([...offered]);
        }}
      >
        {t("measured.apply")}
      </Button>
      {apply.error && <ErrorAlert error={apply.error} />}
    </Group>
  );
}
