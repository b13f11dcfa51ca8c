import { Checkbox, Group, Loader, Select, Stack, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { HubWish } from "@/api/hub";
import { SORTS } from "@/api/hub";
import { ModelSizeSelect } from "@/components/ModelSizeSelect";
import { HUB_NAMES } from "@/lib/hubs";
import classes from "./Hub.module.css";

/** While somebody types, each letter would ask the hub anew. */
const WAIT_MS = 350;

interface Props {
  wish: HubWish;
  busy: boolean;
  onChange: (change: Partial<HubWish>) => void;
}

/** What to look for. */
export function SearchFields({ wish, busy, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  const [words, setWords] = useState(wish.q);
  const settle = useDebouncedCallback((q: string) => {
    onChange({ q });
  }, WAIT_MS);
  return (
    <Stack className={classes.fields ?? ""} gap="xs" role="search">
      <TextInput
        type="search"
        aria-label={t("hub.search", { hub: HUB_NAMES[wish.hub] })}
        placeholder={t("hub.searchExample")}
        leftSection={<IconSearch size={16} aria-hidden />}
        rightSection={busy ? <Loader size="xs" /> : undefined}
        data-autofocus
        spellCheck={false}
        maxLength={200}
        value={words}
        onChange={(event) => {
          setWords(event.currentTarget.value);
          settle(event.currentTarget.value);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          settle.flush();
        }}
        // Else the words would be asked for after the next click, and take what it chose away.
        onBlur={() => {
          settle.flush();
        }}
      />
      <Group gap="md">
        <Checkbox
          label="GGUF"
          checked={wish.gguf}
          onChange={(event) => {
            onChange({ gguf: event.currentTarget.checked });
          }}
        />
        <Checkbox
          label={t("hub.visionOnly")}
          checked={wish.vision}
          onChange={(event) => {
            onChange({ vision: event.currentTarget.checked });
          }}
        />
      </Group>
      <Group gap="xs" grow>
        <ModelSizeSelect
          size="xs"
          value={wish.size}
          onChange={(size) => {
            onChange({ size });
          }}
        />
        <Select
          size="xs"
          aria-label={t("hub.sortBy")}
          data={SORTS.map((sort) => ({ value: sort, label: t(`hub.sort.${sort}`) }))}
          value={wish.sort}
          allowDeselect={false}
          onChange={(value) => {
            onChange({ sort: value ?? "downloads" });
          }}
        />
      </Group>
    </Stack>
  );
}
