import { Button, Group, Modal, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { KeyView } from "@/api/generated/types.gen";
import { keysQuery } from "@/api/queries";

export function DeleteKeyDialog({ apiKey, onClose }: { apiKey: KeyView; onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { id, name } = apiKey;
  const remove = useMutation({
    mutationFn: () => api.deleteKey(id),
    onSuccess: async () => {
      await queries.invalidateQueries(keysQuery);
      onClose();
    },
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("keys.deleteTitle", { name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Text size="sm">{t("keys.deleteWhat", { name, id })}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          {t("common.cancel")}
        </Button>
        <Button
          color="red"
          loading={remove.isPending}
          onClick={() => {
            remove.mutate();
          }}
        >
          {t("common.delete")}
        </Button>
      </Group>
    </Modal>
  );
}
