import { Alert, Button, Group, Loader, Stack, Text, Tooltip } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { formatSeconds } from "@/lib/format";
import type { AssistantTurn, Failure, Stats, Turn, UserTurn } from "./chat";
import classes from "./Conversation.module.css";
import { Markdown } from "@/components/Markdown";
import { remedyFor } from "./remedy";

interface Props {
  turns: readonly Turn[];
  model: string;
  maxTokens: number;
  onRetry: () => void;
}

function Asked({ turn }: { turn: UserTurn }): ReactElement {
  return (
    <div className={classes.asked} data-turn="user">
      {turn.pictures.length > 0 && (
        <Group gap="xs" mb={turn.text ? 8 : 0}>
          {turn.pictures.map((picture) => (
            <img key={picture.id} className={classes.picture} src={picture.dataUri} alt={picture.name} />
          ))}
        </Group>
      )}
      <Text className={classes.text ?? ""}>{turn.text}</Text>
    </div>
  );
}

function StatsLine({ stats }: { stats: Stats }): ReactElement {
  const { t } = useTranslation();
  return (
    <Group gap="md" data-stats>
      {stats.ttftMs !== null && (
        <Text size="xs" c="dimmed">
          {t("playground.ttft", { time: formatSeconds(stats.ttftMs / 1000) })}
        </Text>
      )}
      {stats.tokensPerSecond !== null && (
        <Text size="xs" c="dimmed">
          {t("playground.speed", { speed: stats.tokensPerSecond.toFixed(1) })}
        </Text>
      )}
      {stats.completionTokens !== null && (
        <Tooltip label={t("playground.tokensHint")}>
          <Text size="xs" c="dimmed" tabIndex={0}>
            {t("playground.tokens", { prompt: stats.promptTokens ?? 0, completion: stats.completionTokens })}
          </Text>
        </Tooltip>
      )}
    </Group>
  );
}

function FailureAlert({
  failure,
  model,
  onRetry,
}: {
  failure: Failure;
  model: string;
  onRetry: () => void;
}): ReactElement {
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

interface AnswerProps extends Omit<Props, "turns"> {
  turn: AssistantTurn;
  last: boolean;
}

function Answer({ turn, last, model, maxTokens, onRetry }: AnswerProps): ReactElement {
  const { t } = useTranslation();
  const over = turn.state === "done" || turn.state === "stopped";
  return (
    <Stack gap="xs" data-turn="assistant" data-state={turn.state}>
      {turn.state === "waiting" && (
        <Group gap="xs">
          <Loader size="xs" type="dots" />
          <Text size="sm" c="dimmed">
            {t("playground.waiting")}
          </Text>
        </Group>
      )}
      {turn.text && (
        <div data-answer aria-live="polite">
          <Markdown text={turn.text} />
        </div>
      )}
      {turn.finishReason === "length" && (
        <Text size="sm" c="dimmed">
          {t("playground.finishLength", { tokens: maxTokens })}
        </Text>
      )}
      {turn.state === "stopped" && (
        <Text size="sm" c="dimmed">
          {t("playground.stopped")}
        </Text>
      )}
      {turn.failure && <FailureAlert failure={turn.failure} model={model} onRetry={onRetry} />}
      {turn.stats && over && <StatsLine stats={turn.stats} />}
      {last && over && (
        <Group>
          <Button size="compact-xs" variant="default" onClick={onRetry}>
            {t("common.retry")}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** Whoever scrolled up further than this reads something and is left alone. */
const NEAR_END_PX = 160;

function isNearEnd(end: HTMLElement | null): boolean {
  const box = end?.closest("[data-scroll]");
  return !box || box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
}

/** Questions and answers; the newest stays in view while it grows. */
export function Conversation({ turns, ...rest }: Props): ReactElement {
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const last = turns.at(-1);
    const asked = last?.role === "assistant" && last.state === "waiting";
    if (asked || isNearEnd(end.current)) end.current?.scrollIntoView({ block: "end" });
  }, [turns]);
  return (
    <Stack gap="lg" className={classes.conversation ?? ""}>
      {turns.map((turn, index) =>
        turn.role === "user" ? (
          <Asked key={`user-${String(index)}`} turn={turn} />
        ) : (
          <Answer key={`assistant-${String(index)}`} turn={turn} last={index === turns.length - 1} {...rest} />
        ),
      )}
      <div ref={end} />
    </Stack>
  );
}
