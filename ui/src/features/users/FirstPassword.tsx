import { Button, Group, Modal, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { CodeBlock } from "@/components/CodeBlock";

interface Props {
  username: string;
  password: string;
  onClose: () => void;
}

/** A first password, shown this once; the dialog closes only by its button. */
export function FirstPassword({ username, password, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
      title={t("users.passwordTitle", { name: username })}
    >
      <Text size="sm" mb="sm">
        {t("users.passwordHint", { name: username })}
      </Text>
      <CodeBlock text={password} label={t("session.password")} />
      <Group justify="flex-end" mt="lg">
        <Button onClick={onClose}>{t("users.passwordGiven")}</Button>
      </Group>
    </Modal>
  );
}
