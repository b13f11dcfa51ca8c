import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { IconAdjustments, IconCode, IconEraser, IconHistory } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  panel: boolean;
  onClear: () => void;
  onHistory: () => void;
  onPanel: () => void;
  onCode: () => void;
}

/** What can be done with the conversation as a whole. */
export function ChatButtons({ panel, onClear, onHistory, onPanel, onCode }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <Tooltip label={t("playground.clear")}>
        <ActionIcon size={36} variant="default" aria-label={t("playground.clear")} onClick={onClear}>
          <IconEraser size={18} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={t("history.title")}>
        <ActionIcon size={36} variant="default" aria-label={t("history.title")} onClick={onHistory}>
          <IconHistory size={18} />
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
    </>
  );
}
