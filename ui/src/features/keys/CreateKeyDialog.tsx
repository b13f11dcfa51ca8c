import { Button, Checkbox, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { KeyCreated, Scope } from "@/api/generated/types.gen";
import { keysQuery } from "@/api/queries";
import { CodeBlock } from "@/components/CodeBlock";

const SCOPES: readonly Scope[] = ["inference", "management", "metrics"];
const DAYS = [30, 90, 365];
const DAY_SECONDS = 86_400;

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

export function CreateKeyDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<string[]>(["inference"]);
  const [days, setDays] = useState("");
  const create = useMutation({
    mutationFn: () =>
      api.createKey({
        name: name.trim(),
        scopes: SCOPES.filter((scope) => scopes.includes(scope)),
        expires_in: days ? Number(days) * DAY_SECONDS : null,
      }),
    onSuccess: () => queries.invalidateQueries(keysQuery),
  });
  if (create.data) return <Created created={create.data} onClose={onClose} />;
  return (
    <Modal opened onClose={onClose} title={t("keys.create")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate();
        }}
      >
        <Stack>
          <TextInput
            label={t("common.name")}
            required
            maxLength={64}
            data-autofocus
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <Checkbox.Group
            label={t("keys.scopes")}
            value={scopes}
            onChange={setScopes}
            error={scopes.length === 0 && t("keys.scopesNeeded")}
          >
            <Stack gap="xs" mt={6} mb={6}>
              {SCOPES.map((scope) => (
                <Checkbox key={scope} value={scope} label={t(`keys.scope.${scope}`)} />
              ))}
            </Stack>
          </Checkbox.Group>
          <Select
            label={t("keys.expires")}
            data={[
              { value: "", label: t("keys.never") },
              ...DAYS.map((count) => ({ value: String(count), label: t("keys.days", { days: count }) })),
            ]}
            value={days}
            allowDeselect={false}
            onChange={(value) => {
              setDays(value ?? "");
            }}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={create.isPending} disabled={!name.trim() || scopes.length === 0}>
              {t("keys.create")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
