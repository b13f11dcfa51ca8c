import { Group, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { EVENT_GROUPS } from "@/lib/events";
import type { AuditSearch } from "./search";
import { PERIODS } from "./search";

const route = getRouteApi("/audit");
const WAIT_MS = 300;

interface WordProps {
  field: "actor" | "subject";
  onChange: (change: AuditSearch) => void;
}

/** A word that is looked for once it is typed. */
function Word({ field, onChange }: WordProps): ReactElement {
  const { t } = useTranslation();
  const { [field]: first = "" } = route.useSearch();
  const [value, setValue] = useState(first);
  const tell = useDebouncedCallback((text: string) => {
    onChange(field === "actor" ? { actor: text } : { subject: text });
  }, WAIT_MS);
  return (
    <TextInput
      label={t(`audit.${field}`)}
      placeholder={t("audit.anything")}
      value={value}
      onChange={(event) => {
        setValue(event.currentTarget.value);
        tell(event.currentTarget.value.trim());
      }}
    />
  );
}

/** Which events are shown. */
export function Filters(): ReactElement {
  const { t } = useTranslation();
  const { group, days } = route.useSearch();
  const navigate = route.useNavigate();
  const change = (part: { [Field in keyof AuditSearch]: AuditSearch[Field] | undefined }): void => {
    void navigate({
      search: (old) => Object.fromEntries(Object.entries({ ...old, ...part }).filter(([, value]) => value)),
      replace: true,
    });
  };
  return (
    <Group gap="sm" mb="md" align="flex-end">
      <Select
        label={t("audit.about")}
        placeholder={t("audit.anything")}
        clearable
        clearButtonProps={{ "aria-label": t("common.remove") }}
        data={EVENT_GROUPS.map((value) => ({ value, label: t(`events.group.${value}`) }))}
        value={group ?? null}
        onChange={(value) => {
          change({ group: EVENT_GROUPS.find((one) => one === value) });
        }}
      />
      <Word field="actor" onChange={change} />
      <Word field="subject" onChange={change} />
      <Select
        label={t("usage.period")}
        placeholder={t("audit.always")}
        clearable
        clearButtonProps={{ "aria-label": t("common.remove") }}
        w={150}
        data={PERIODS.map((value) => ({ value: String(value), label: t("usage.days", { days: value }) }))}
        value={days === undefined ? null : String(days)}
        onChange={(value) => {
          change({ days: PERIODS.find((one) => String(one) === value) });
        }}
      />
    </Group>
  );
}
