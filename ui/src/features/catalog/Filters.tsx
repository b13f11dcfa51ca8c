import { Chip, Group, Loader, Stack, Switch, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CAPABILITIES } from "@/api/catalog";
import { ModelSizeSelect } from "@/components/ModelSizeSelect";
import classes from "./Catalog.module.css";
import type { CatalogSearch } from "./search";

const route = getRouteApi("/catalog");
const ANY = "any";
const WAIT_MS = 250;

function Words({ busy, onChange }: { busy: boolean; onChange: (q: string) => void }): ReactElement {
  const { t } = useTranslation();
  const { q } = route.useSearch();
  const [words, setWords] = useState(q ?? "");
  const [known, setKnown] = useState(q);
  if (q !== known) {
    // The address changed under the field: back, forward, or the button that takes the filters off.
    setKnown(q);
    if ((q ?? "") !== words.trim()) setWords(q ?? "");
  }
  const settle = useDebouncedCallback(onChange, WAIT_MS);
  return (
    <TextInput
      className={classes.words ?? ""}
      type="search"
      aria-label={t("catalog.search")}
      placeholder={t("catalog.search")}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={busy ? <Loader size="xs" /> : undefined}
      maxLength={200}
      spellCheck={false}
      value={words}
      onChange={(event) => {
        setWords(event.currentTarget.value);
        settle(event.currentTarget.value.trim());
      }}
    />
  );
}

/** Words, capability, size, what fits, and the hub; kept in the address. */
export function Filters({ busy, hasGpu }: { busy: boolean; hasGpu: boolean }): ReactElement {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (patch: Record<keyof CatalogSearch, unknown> | Record<string, unknown>): void => {
    // Empty values leave the address by the route's own check.
    void navigate({ search: (old) => ({ ...old, ...patch }) as CatalogSearch, replace: true });
  };
  return (
    <Stack gap="sm" role="search" aria-label={t("catalog.search")}>
      <Group gap="sm">
        <Words
          busy={busy}
          onChange={(q) => {
            change({ q: q || undefined });
          }}
        />
        <ModelSizeSelect
          className={classes.size ?? ""}
          value={search.size}
          onChange={(size) => {
            change({ size });
          }}
        />
        <Switch
          label={hasGpu ? t("catalog.fitsGpus") : t("catalog.fitsMachines")}
          checked={search.fits ?? false}
          onChange={(event) => {
            change({ fits: event.currentTarget.checked || undefined });
          }}
        />
        <Switch
          label={t("catalog.fromModelScope")}
          checked={search.source === "ms"}
          onChange={(event) => {
            change({ source: event.currentTarget.checked ? "ms" : undefined });
          }}
        />
      </Group>
      <Chip.Group
        value={search.capability ?? ANY}
        onChange={(capability) => {
          change({ capability: capability === ANY ? undefined : capability });
        }}
      >
        <Group gap={6} role="radiogroup" aria-label={t("catalog.capability")}>
          <Chip size="xs" value={ANY}>
            {t("catalog.all")}
          </Chip>
          {CAPABILITIES.map((capability) => (
            <Chip key={capability} size="xs" value={capability}>
              {capability === "chat" ? t("catalog.chat") : t(`hub.capability.${capability}`)}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </Stack>
  );
}
