import { ActionIcon, CopyButton, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import classes from "./CodeBlock.module.css";

interface Props {
  text: string;
  label?: string;
}

/** Text to copy: code, a path, a key. */
export function CodeBlock({ text, label }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <div className={classes.frame}>
      <pre className={classes.code} aria-label={label} tabIndex={0}>
        {text}
      </pre>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? t("common.copied") : t("common.copy")}>
            <ActionIcon
              className={classes.copy ?? ""}
              variant="default"
              aria-label={copied ? t("common.copied") : t("common.copy")}
              onClick={copy}
            >
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </div>
  );
}
