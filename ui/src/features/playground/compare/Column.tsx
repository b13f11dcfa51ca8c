import { Group, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { splitThought } from "../reasoning";
import { AnswerBody } from "../thread/Answer";
import { FailureAlert } from "../thread/FailureAlert";
import { Grounded } from "../thread/Grounded";
import type { AssistantTurn, Picture } from "../turns";
import { isOver } from "../turns";
import classes from "./Compare.module.css";
import { marked } from "./diff";

interface Props {
  model: DeploymentView;
  turn: AssistantTurn;
  pictures: readonly Picture[];
  maxTokens: number;
  /** The answer whose words are not marked; null: nothing is marked. */
  base: string | null;
  onRetry: () => void;
}

function Marked({ text, base }: { text: string; base: string }): ReactElement {
  const { t } = useTranslation();
  const pieces = useMemo(() => marked(text, base), [text, base]);
  if (!pieces) return <Text size="sm">{t("compare.tooLong")}</Text>;
  return (
    <div className={classes.marked} data-answer>
      {pieces.map((piece, index) => (piece.same ? piece.text : <mark key={index}>{piece.text}</mark>))}
    </div>
  );
}

/** One model's answer among others'. */
export function Column({ model, turn, pictures, maxTokens, base, onRetry }: Props): ReactElement {
  return (
    <section className={classes.column} aria-label={model.name} data-turn="assistant" data-state={turn.state}>
      <Group justify="space-between" mb="xs">
        <Text fw={600} size="sm" truncate>
          {model.name}
        </Text>
      </Group>
      {base !== null && isOver(turn) ? (
        <Marked text={splitThought(turn.text).answer} base={splitThought(base).answer} />
      ) : (
        <AnswerBody turn={turn} maxTokens={maxTokens} />
      )}
      {turn.failure && <FailureAlert failure={turn.failure} model={model.name} onRetry={onRetry} />}
      {turn.state === "done" && <Grounded text={turn.text} pictures={pictures} model={model} />}
    </section>
  );
}
