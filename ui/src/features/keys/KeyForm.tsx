import { Button, Checkbox, Group, MultiSelect, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { deploymentsQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { LimitFields } from "@/components/LimitFields";
import type { KeyValues } from "./keyValues";
import { SCOPES } from "./keyValues";

const DAYS = [30, 90, 365];

interface Props {
  first: KeyValues;
  /** What the choice to leave the expiry as it is says; null for a new key. */
  keep: string | null;
  label: string;
  pending: boolean;
  error: Error | null;
  onSubmit: (values: KeyValues) => void;
  onCancel: () => void;
}

/** Everything that a key may be told, for making and for editing one. */
export function KeyForm({ first, keep, label, pending, error, onSubmit, onCancel }: Props): ReactElement {
  const { t } = useTranslation();
  const deployments = useQuery(deploymentsQuery);
  const [values, setValues] = useState(first);
  const change = (part: Partial<KeyValues>): void => {
    setValues((before) => ({ ...before, ...part }));
  };
  const names = [...new Set([...values.models, ...(deployments.data ?? []).map(({ name }) => name)])];
  const lives = [
    ...(keep === null ? [] : [{ value: "keep", label: keep }]),
    { value: "", label: t("keys.never") },
    ...DAYS.map((count) => ({ value: String(count), label: t("keys.days", { days: count }) })),
  ];
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit(values);
      }}
    >
      <Stack>
        {error && <ErrorAlert error={error} />}
        <TextInput
          label={t("common.name")}
          required
          maxLength={64}
          data-autofocus
          value={values.name}
          onChange={(event) => {
            change({ name: event.currentTarget.value });
          }}
        />
        <Checkbox.Group
          label={t("keys.scopes")}
          value={values.scopes}
          onChange={(scopes) => {
            change({ scopes: scopes });
          }}
          error={values.scopes.length === 0 && t("keys.scopesNeeded")}
        >
          <Stack gap="xs" mt={6} mb={6}>
            {SCOPES.map((scope) => (
              <Checkbox key={scope} value={scope} label={t(`keys.scope.${scope}`)} />
            ))}
          </Stack>
        </Checkbox.Group>
        <MultiSelect
          label={t("keys.models")}
          description={t("keys.modelsHint")}
          data={names}
          searchable
          clearable
          value={values.models}
          onChange={(models) => {
            change({ models });
          }}
        />
        <Select
          label={t("keys.expires")}
          data={lives}
          value={values.days}
          allowDeselect={false}
          onChange={(days) => {
            change({ days: days ?? "" });
          }}
        />
        <TagsInput
          label={t("keys.networks")}
          description={t("keys.networksHint")}
          value={values.networks}
          onChange={(networks) => {
            change({ networks });
          }}
        />
        <LimitFields
          limits={values.limits}
          hint={t("keys.limitsHint")}
          onChange={(limits) => {
            change({ limits });
          }}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>
            {t("common.cancel")}
          </Button>
          <Button type="submit" loading={pending} disabled={!values.name.trim() || values.scopes.length === 0}>
            {label}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
