import { Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import classes from "../Conversation.module.css";

interface Props {
  text: string;
  /** Still under way. */
  open: boolean;
}

/** A model's thoughts, folded: what counts is the answer. */
export function Reasoning({ text, open }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <details className={classes.reasoning} data-reasoning>
      <summary>{open ? t("playground.thinking") : t("playground.thoughts", { count: text.length })}</summary>
      <Text size="sm" c="dimmed" className={classes.text ?? ""}>
        {text}
      </Text>
    </details>
  );
}
