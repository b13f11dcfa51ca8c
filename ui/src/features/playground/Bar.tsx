import { ActionIcon, Button, Group, Title, Tooltip } from "@mantine/core";
import { IconAdjustments, IconCode, IconEraser } from "@tabler/icons-react";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Playground.module.css";

interface Props {
  panel: boolean;
  onClear: () => void;
  onCode: () => void;
  onPanel: () => void;
  children: ReactNode;
}

/** The head of the page; the model's drop-down comes last, at the top right. */
export function Bar({ panel, onClear, onCode, onPanel, children }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Group className={classes.bar ?? ""} justify="space-between" wrap="wrap" gap="xs">
      <Title order={2} size="h3">
        {t("playground.title")}
      </Title>
      <Group gap="xs">
        <Tooltip label={t("playground.clear")}>
          <ActionIcon size={36} variant="default" aria-label={t("playground.clear")} onClick={onClear}>
            <IconEraser size={18} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={t("playground.parameters")}>
          <ActionIcon
            size={36}
            variant={panel ? "light" : "default"}
            aria-label={t("playground.parameters")}
            aria-expanded={panel}
            onClick={onPanel}
          >
            <IconAdjustments size={18} />
          </ActionIcon>
        </Tooltip>
        <Button variant="default" leftSection={<IconCode size={16} />} onClick={onCode}>
          {t("playground.code")}
        </Button>
        {children}
      </Group>
    </Group>
  );
}
