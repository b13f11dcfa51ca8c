import { Group, Loader, Stack, Text } from "@mantine/core";
import { IconCheck, IconCopy, IconPencil, IconRefresh } from "@tabler/icons-react";
import type { ReactElement, ReactNode } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { copyText } from "@/lib/clipboard";
import { splitThought } from "../reasoning";
import type { AssistantTurn } from "../turns";
import { isOver } from "../turns";
import { AnswerText } from "./AnswerText";
import { EditText } from "./EditText";
import { FailureAlert } from "./FailureAlert";
import { Reasoning } from "./Reasoning";
import { StatsLine } from "./StatsLine";
import { ToolCalls } from "./ToolCalls";
import { TurnAction } from "./TurnAction";

interface BodyProps {
  turn: AssistantTurn;
  maxTokens: number;
}

/** What was answered so far, without anything to do about it. */
export function AnswerBody({ turn, maxTokens }: BodyProps): ReactElement {
  const { t } = useTranslation();
  const thought = splitThought(turn.text);
  const reasoning = turn.reasoning || thought.reasoning;
  const thinking = !isOver(turn) && (thought.open || (turn.reasoning !== "" && turn.text === ""));
  return (
    <>
      {turn.state === "waiting" && (
        <Group gap="xs">
          <Loader size="xs" type="dots" />
          <Text size="sm" c="dimmed">
            {t("playground.waiting")}
          </Text>
        </Group>
      )}
      {reasoning && <Reasoning text={reasoning} open={thinking} />}
      {thought.answer && (
        <div data-answer aria-live="polite">
          <AnswerText text={thought.answer} />
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
    </>
  );
}

interface Props extends BodyProps {
  /** Who is asked when it is tried again. */
  model: string;
  busy: boolean;
  onRegenerate: () => void;
  onEdit: (text: string) => void;
  onAnswerTools: Parameters<typeof ToolCalls>[0]["onAnswer"];
  /** What is drawn below the words: boxes on the pictures. */
  children: ReactNode;
}

/** An answer, what it took, and what can be done about it. */
export function Answer(props: Props): ReactElement {
  const { turn, maxTokens, model, busy, onRegenerate, onEdit, onAnswerTools, children } = props;
  const { t } = useTranslation();
  const [editing, setEditing] = useState(false);
  const [copied, setCopied] = useState(false);
  const over = isOver(turn) && turn.state !== "failed";
  return (
    <Stack gap="xs" data-turn="assistant" data-state={turn.state}>
      {editing ? (
        <EditText
          text={turn.text}
          action={t("common.save")}
          onDone={(text) => {
            onEdit(text);
            setEditing(false);
          }}
          onCancel={() => {
            setEditing(false);
          }}
        />
      ) : (
        <AnswerBody turn={turn} maxTokens={maxTokens} />
      )}
      {turn.calls.length > 0 && <ToolCalls calls={turn.calls} onAnswer={over ? onAnswerTools : null} />}
      {turn.failure && <FailureAlert failure={turn.failure} model={model} onRetry={onRegenerate} />}
      {over && !editing && (
        <>
          {children}
          {turn.stats && <StatsLine stats={turn.stats} />}
          <Group gap={2}>
            <TurnAction
              label={copied ? t("common.copied") : t("common.copy")}
              icon={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
              onClick={() => void copyText(splitThought(turn.text).answer).then(setCopied)}
            />
            <TurnAction
              label={t("playground.regenerate")}
              icon={<IconRefresh size={14} />}
              disabled={busy}
              onClick={onRegenerate}
            />
            <TurnAction
              label={t("playground.editAnswer")}
              icon={<IconPencil size={14} />}
              disabled={busy}
              onClick={() => {
                setEditing(true);
              }}
            />
          </Group>
        </>
      )}
    </Stack>
  );
}
