import { Alert, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import classes from "../Conversation.module.css";
import { remedyFor } from "../remedy";
import type { Failure } from "../turns";

interface Props {
  failure: Failure;
  model: string;
  onRetry: () => void;
}

/** Why there is no answer, or no whole one, and what to do. */
export function FailureAlert({ failure, model, onRetry }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Alert color="red" icon={<IconAlertTriangle size={18} />} title={t("playground.answerFailed")} role="alert">
      {failure.message && <Text size="sm">{failure.message}</Text>}
      <Text size="sm">{t("common.whatToDo", { remedy: t(`remedy.${remedyFor(failure)}`) })}</Text>
      <Group mt="sm" gap="sm">
        <Button size="xs" variant="light" color="red" onClick={onRetry}>
          {t("common.retry")}
        </Button>
        <Link to="/models" search={{ open: model }} className={classes.link ?? ""}>
          {t("playground.seeModel")}
        </Link>
        {failure.requestId && (
          <Text size="xs" c="dimmed">
            {t("common.requestId", { id: failure.requestId })}
          </Text>
        )}
      </Group>
    </Alert>
  );
}
