import { Button, Group, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { DeploymentView, OfferedChangeView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { notifyDone } from "@/components/notify";
import { useCommand } from "./actions";

function useOffer({ name, revision }: DeploymentView) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (offer: OfferedChangeView) => api.editDeployment(name, revision, offer.patch),
    onSuccess: () => {
      notifyDone(t("deploy.edited", { name }));
    },
    onSettled: () => queries.invalidateQueries(deploymentsQuery),
  });
}

/** After a failed start: the change that its cause suggests, or another try as it is, each at one press. */
export function DoctorPanel({ deployment }: { deployment: DeploymentView }): ReactElement | null {
  const { t } = useTranslation();
  const apply = useOffer(deployment);
  const command = useCommand();
  const { name, offer, phase } = deployment;
  if (!offer && phase !== "failed") return null;
  const error = apply.error ?? command.error;
  return (
    <Group px="md" pb="md" gap="sm" data-doctor={name}>
      {offer && (
        <>
          <Text size="sm" flex={1} miw={220} data-offer={offer.kind}>
            {offer.message}
          </Text>
          <Button
            size="xs"
            loading={apply.isPending}
            onClick={() => {
              apply.mutate(offer);
            }}
          >
            {t("doctor.apply")}
          </Button>
        </>
      )}
      {phase === "failed" && (
        <Button
          size="xs"
          variant="default"
          loading={command.isPending}
          onClick={() => {
            command.mutate({ action: "restart", name });
          }}
        >
          {t("doctor.again")}
        </Button>
      )}
      {error && <ErrorAlert error={error} />}
    </Group>
  );
}
