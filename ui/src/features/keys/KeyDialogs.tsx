import { Button, Group, Modal, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { KeyCreated, KeyView } from "@/api/generated/types.gen";
import { keysQuery } from "@/api/queries";
import { CodeBlock } from "@/components/CodeBlock";
import { currentLanguage } from "@/i18n";
import { formatTime } from "@/lib/format";
import { KeyForm } from "./KeyForm";
import type { KeyValues } from "./keyValues";
import { NEW_KEY, patchOf, requestOf, valuesOf } from "./keyValues";

/** The new key, shown this once; the dialog closes only by its button. */
function Created({ created, onClose }: { created: KeyCreated; onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      closeOnClickOutside={false}
      closeOnEscape={false}
      title={t("keys.createdTitle", { name: created.name })}
    >
      <Text size="sm" mb="sm">
        {t("keys.copyNow")}
      </Text>
      <CodeBlock text={created.token} />
      <Group justify="flex-end" mt="lg">
        <Button onClick={onClose}>{t("keys.stored")}</Button>
      </Group>
    </Modal>
  );
}

interface CreateProps {
  /** The one model that the key is meant for. */
  model: string | undefined;
  onClose: () => void;
}

export function CreateKeyDialog({ model, onClose }: CreateProps): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: (values: KeyValues) => api.createKey(requestOf(values)),
    onSuccess: () => queries.invalidateQueries(keysQuery),
  });
  if (create.data) return <Created created={create.data} onClose={onClose} />;
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("keys.create")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <KeyForm
        first={model === undefined ? NEW_KEY : { ...NEW_KEY, name: model, models: [model] }}
        keep={null}
        label={t("keys.create")}
        pending={create.isPending}
        error={create.error}
        onSubmit={create.mutate}
        onCancel={onClose}
      />
    </Modal>
  );
}

export function EditKeyDialog({ apiKey, onClose }: { apiKey: KeyView; onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const edit = useMutation({
    mutationFn: (values: KeyValues) => api.editKey(apiKey.id, patchOf(values)),
    onSuccess: async () => {
      await queries.invalidateQueries(keysQuery);
      onClose();
    },
  });
  const expires = apiKey.expires_at === null ? t("keys.never") : formatTime(apiKey.expires_at, currentLanguage());
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("keys.editTitle", { name: apiKey.name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <KeyForm
        first={valuesOf(apiKey)}
        keep={t("keys.keep", { time: expires })}
        label={t("common.save")}
        pending={edit.isPending}
        error={edit.error}
        onSubmit={edit.mutate}
        onCancel={onClose}
      />
    </Modal>
  );
}
