import { Alert, Container, Group, Stack, Text } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { PhaseBadge } from "@/components/PhaseBadge";
import { Reasons } from "@/components/Reasons";
import { TransferBar } from "@/components/TransferBar";
import { movingDownload } from "@/lib/download";
import { answers } from "@/lib/models";
import classes from "./Conversation.module.css";
import { isDemo } from "./models";

function NotReady({ model }: { model: DeploymentView }): ReactElement {
  const { t } = useTranslation();
  const download = movingDownload(model.replicas);
  return (
    <Stack gap="xs">
      <Group gap="sm">
        <Text fw={600}>{model.name}</Text>
        <PhaseBadge phase={model.phase} />
        <Link to="/models" search={{ open: model.name }} className={classes.link ?? ""}>
          {t("playground.seeModel")}
        </Link>
      </Group>
      {download && <TransferBar progress={download} label={model.name} moving />}
      {model.phase !== "ready" && answers(model) && model.load_seconds !== null && (
        <Text size="sm" c="dimmed">
          {t("scaling.wakesIn", { seconds: Math.max(1, Math.round(model.load_seconds)) })}
        </Text>
      )}
      <Reasons reasons={model.reasons} failed={model.phase === "failed" || model.phase === "unreachable"} />
    </Stack>
  );
}

/** What to know about the model before asking it: that it is not ready, or that it is only a demonstration. */
export function ModelNotes({ model }: { model: DeploymentView }): ReactElement | null {
  const { t } = useTranslation();
  const ready = model.phase === "ready";
  if (ready && !isDemo(model)) return null;
  return (
    <Container size={820} pt="md" px="md">
      {ready ? (
        <Alert role="note" icon={<IconInfoCircle size={18} />} color="gray" p="xs">
          {t("playground.demoNote")}
        </Alert>
      ) : (
        <NotReady model={model} />
      )}
    </Container>
  );
}
