import { Button, Group, Modal, NumberInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { useCommand } from "./actions";

interface Props {
  deployment: DeploymentView;
  onClose: () => void;
}

export function ScaleDialog({ deployment, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const command = useCommand(onClose);
  const { name, spec } = deployment;
  const [replicas, setReplicas] = useState(spec.replicas);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("models.scaleTitle", { name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          command.mutate({ action: "scale", name, replicas });
        }}
      >
        <NumberInput
          label={t("deploy.replicas")}
          description={t("models.scaleHint")}
          min={0}
          max={64}
          allowDecimal={false}
          value={replicas}
          data-autofocus
          onChange={(value) => {
            setReplicas(Number(value));
          }}
        />
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button type="submit" loading={command.isPending} disabled={replicas === spec.replicas}>
            {t("common.save")}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}
