import { ActionIcon, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { copyText } from "@/lib/clipboard";
import classes from "./CodeBlock.module.css";

interface Props {
  text: string;
  label?: string;
}

const SHOWN_MS = 1500;

/** Text to copy: code, a path, a key. */
export function CodeBlock({ text, label }: Props): ReactElement {
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
  const words = copied ? t("common.copied") : t("common.copy");
  return (
    <div className={classes.frame}>
      <pre className={classes.code} aria-label={label} tabIndex={0}>
        {text}
      </pre>
      <Tooltip label={words}>
        <ActionIcon
          className={classes.copy ?? ""}
          variant="default"
          aria-label={words}
          onClick={() => void copyText(text).then(setCopied)}
        >
          {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
