import { Alert, Text } from "@mantine/core";
import { IconInfoCircle, IconRefresh } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentSpecInput, DeploymentView } from "@/api/generated/types.gen";
import { formatSeconds } from "@/lib/format";
import { changePlan } from "./changePlan";

interface Props {
  deployment: DeploymentView;
  spec: DeploymentSpecInput;
}

/** What saving will do to the replicas that run, and for how long. */
export function ChangePlanNote({ deployment, spec }: Props): ReactElement {
  const { t } = useTranslation();
  const { kind, replicas, seconds } = changePlan(deployment, spec);
  const restarts = kind === "replace";
  return (
    <Alert
      p="xs"
      role="note"
      color={restarts ? "yellow" : "gray"}
      icon={restarts ? <IconRefresh size={18} /> : <IconInfoCircle size={18} />}
      title={t(`changePlan.${kind}`, { count: replicas })}
      data-change={kind}
    >
      {restarts && (
        <Text size="sm">
          {[t("changePlan.goesOn"), seconds !== null && t("changePlan.lastStart", { time: formatSeconds(seconds) })]
            .filter(Boolean)
            .join(" ")}
        </Text>
      )}
    </Alert>
  );
}
