import { Code, Tooltip, UnstyledButton } from "@mantine/core";
import type { ReactElement } from "react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { copyText } from "@/lib/clipboard";
import classes from "./CopyText.module.css";

interface Props {
  /** What is copied. */
  text: string;
  /** What is shown; the text itself where nothing shorter is given. */
  shown?: string;
  /** What the text is: "Revision". */
  label: string;
}

const SHOWN_MS = 1500;

/** A short text within a line that a click copies. */
export function CopyText({ text, shown = text, label }: Props): ReactElement {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => {
      setCopied(false);
    }, SHOWN_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [copied]);
  return (
    <Tooltip label={copied ? t("common.copied") : `${t("common.copy")}: ${text}`} multiline maw={420}>
      <UnstyledButton
        className={classes.copy ?? ""}
        aria-label={`${label}: ${text}. ${copied ? t("common.copied") : t("common.copy")}`}
        onClick={() => void copyText(text).then(setCopied)}
      >
        <Code className={classes.code ?? ""}>{shown}</Code>
      </UnstyledButton>
    </Tooltip>
  );
}
