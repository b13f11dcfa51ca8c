import { Button, Group, Modal, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  title: string;
  what: string;
  busy: boolean;
  onYes: () => void;
  onClose: () => void;
}

/** Asks before something is removed, and says what that means. */
export function Confirm({ title, what, busy, onYes, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ "aria-label": t("common.close") }}>
      <Text size="sm">{what}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          {t("common.cancel")}
        </Button>
        <Button color="red" loading={busy} onClick={onYes}>
          {t("common.remove")}
        </Button>
      </Group>
    </Modal>
  );
}
