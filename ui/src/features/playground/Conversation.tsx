import { Code, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import classes from "./Conversation.module.css";
import { Answer } from "./thread/Answer";
import { Asked } from "./thread/Asked";
import { Grounded } from "./thread/Grounded";
import type { ToolTurn, Turn } from "./turns";
import { picturesFor } from "./turns";
import type { Asking, Conversation as State } from "./useConversation";

interface Props {
  conversation: State;
  model: DeploymentView;
  asking: Asking;
}

function ToolAnswer({ turn }: { turn: ToolTurn }): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={classes.asked} data-turn="tool">
      <Text size="xs" c="dimmed">
        {t("playground.toolAnswer", { name: turn.name })}
      </Text>
      <Code block>{turn.text}</Code>
    </div>
  );
}

interface TurnProps extends Props {
  turn: Turn;
  index: number;
}

function OneTurn({ turn, index, conversation, model, asking }: TurnProps): ReactElement {
  const { turns, busy, edit, cut, regenerate, answerTools } = conversation;
  if (turn.role === "tool") return <ToolAnswer turn={turn} />;
  if (turn.role === "user") {
    return (
      <Asked
        turn={turn}
        busy={busy}
        onEdit={(text) => {
          edit(turn.id, text, asking);
        }}
        onCut={() => {
          cut(turn.id);
        }}
      />
    );
  }
  const last = index === turns.length - 1;
  return (
    <Answer
      turn={turn}
      model={model.name}
      maxTokens={asking.sampling.maxTokens}
      busy={busy}
      onRegenerate={() => void regenerate(turn.id, asking)}
      onEdit={(text) => {
        edit(turn.id, text, asking);
      }}
      onAnswerTools={last && !busy ? (answers) => void answerTools(answers, asking) : null}
    >
      <Grounded text={turn.text} pictures={picturesFor(turns, index)} model={model} />
    </Answer>
  );
}

/** Whoever scrolled up further than this reads something and is left alone. */
const NEAR_END_PX = 160;

function isNearEnd(end: HTMLElement | null): boolean {
  const box = end?.closest("[data-scroll]");
  return !box || box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
}

/** Questions and answers; the newest stays in view while it grows. */
export function Conversation(props: Props): ReactElement {
  const { turns } = props.conversation;
  const end = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const last = turns.at(-1);
    const asked = last?.role === "assistant" && last.state === "waiting";
    if (asked || isNearEnd(end.current)) end.current?.scrollIntoView({ block: "end" });
  }, [turns]);
  return (
    <Stack gap="lg" className={classes.conversation ?? ""}>
      {turns.map((turn, index) => (
        <OneTurn key={turn.id} turn={turn} index={index} {...props} />
      ))}
      <div ref={end} />
    </Stack>
  );
}
