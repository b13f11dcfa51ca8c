import { Alert, Button, Code, Group, List, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import { formatBytes } from "@/lib/format";
import type { Step } from "./room";
import { effectOf } from "./room";
import { useMakeRoom } from "./useMakeRoom";

interface Props {
  room: readonly Step[];
  onDone: () => void;
  onCancel: () => void;
}

function Consequences({ step, deployment }: { step: Step; deployment: DeploymentView | undefined }): ReactElement {
  const { t } = useTranslation();
  const { name } = step;
  const { kind, ending, staying, bytes, parameters } = effectOf(step, deployment);
  const before = deployment?.spec.parameters.join(" ") ?? "";
  return (
    <>
      <List.Item>{t(`fit.effect.${kind}`, { name, replicas: ending, staying, bytes: formatBytes(bytes) })}</List.Item>
      {kind === "restart" && (
        <List.Item>
          {t("fit.effect.parameters")} <Code>{before === "" ? "–" : before}</Code> → <Code>{parameters}</Code>
        </List.Item>
      )}
    </>
  );
}

/** Says exactly what happens to other deployments, and does it once that is confirmed. */
export function MakeRoom({ room, onDone, onCancel }: Props): ReactElement {
  const { t } = useTranslation();
  const { data: deployments = [] } = useQuery(deploymentsQuery);
  const action = useMakeRoom(deployments, onDone);
  const names = room.map(({ name }) => name).join(", ");
  const isStop = room.every(({ patch }) => patch === null);
  return (
    <Alert
      color="orange"
      variant="light"
      p="sm"
      role="group"
      aria-label={t("fit.confirmTitle", { names })}
      icon={<IconAlertTriangle size={18} />}
      title={t("fit.confirmTitle", { names })}
      data-confirm={names}
    >
      <List size="sm" spacing={4}>
        {room.map((step) => (
          <Consequences
            key={step.name}
            step={step}
            deployment={deployments.find((deployment) => deployment.name === step.name)}
          />
        ))}
      </List>
      <Text size="sm" mt={6}>
        {t(isStop ? "fit.effect.stopKept" : "fit.effect.undo")}
      </Text>
      <Group justify="flex-end" mt="sm" gap="xs">
        <Button size="xs" variant="default" onClick={onCancel}>
          {t("common.cancel")}
        </Button>
        <Button
          size="xs"
          color="red"
          loading={action.isPending}
          onClick={() => {
            action.mutate(room);
          }}
        >
          {t(isStop ? "fit.confirmStop" : "fit.confirmChange", { names })}
        </Button>
      </Group>
    </Alert>
  );
}
