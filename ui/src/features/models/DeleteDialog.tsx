import { Button, Group, List, Modal, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { useCommand } from "./actions";
import { sourceText } from "./spec";

interface Props {
  deployment: DeploymentView;
  onClose: () => void;
}

/** Says exactly what will be gone, and what stays. */
export function DeleteDialog({ deployment, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const command = useCommand(onClose);
  const { name, replicas } = deployment;
  const count = replicas.length;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("models.deleteTitle", { name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Text size="sm" mb={4}>
        {t("models.deleteWhat")}
      </Text>
      <List size="sm" spacing={4}>
        <List.Item>{t("models.deleteDeployment", { name })}</List.Item>
        <List.Item>
          {count > 0 ? t("models.deleteReplicas", { replicas: count }) : t("models.deleteNoReplicas")}
        </List.Item>
      </List>
      <Text size="sm" mt="sm" c="dimmed">
        {t("models.deleteKept", { source: sourceText(deployment.spec.source) })}
      </Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          {t("common.cancel")}
        </Button>
        <Button
          color="red"
          loading={command.isPending}
          onClick={() => {
            command.mutate({ action: "delete", name });
          }}
        >
          {t("models.deleteConfirm", { name })}
        </Button>
      </Group>
    </Modal>
  );
}
