import { Group, Select, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { StoreView } from "@/api/generated/types.gen";
import classes from "./Files.module.css";
import type { FilesSearch } from "./search";
import { ORDERS, STATES } from "./search";

const route = getRouteApi("/files");
const EVERYTHING = "all";

/** Words, state, machine and order; kept in the address. */
export function FilterBar({ stores }: { stores: readonly StoreView[] }): ReactElement {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const change = (patch: Record<keyof FilesSearch, string> | Record<string, string>): void => {
    // Empty values leave the address by the route's own check.
    const cleaned = Object.fromEntries(
      Object.entries(patch).map(([key, value]) => [key, value === EVERYTHING ? undefined : value || undefined]),
    );
    void navigate({ search: (old) => ({ ...old, ...cleaned }), replace: true });
  };
  const label = t("files.search");
  return (
    <Group gap="xs" role="search" aria-label={label}>
      <TextInput
        className={classes.search ?? ""}
        type="search"
        aria-label={label}
        placeholder={label}
        leftSection={<IconSearch size={16} aria-hidden />}
        value={search.q ?? ""}
        onChange={(event) => {
          change({ q: event.currentTarget.value });
        }}
      />
      <Select
        className={classes.choice ?? ""}
        aria-label={t("files.stateFilter")}
        data={[
          { value: EVERYTHING, label: t("files.allStates") },
          ...STATES.map((state) => ({ value: state, label: t(`files.state.${state}`) })),
        ]}
        value={search.state ?? EVERYTHING}
        allowDeselect={false}
        onChange={(value) => {
          change({ state: value ?? EVERYTHING });
        }}
      />
      {stores.length > 1 && (
        <Select
          className={classes.choice ?? ""}
          aria-label={t("files.node")}
          data={[
            { value: EVERYTHING, label: t("files.allNodes") },
            ...stores.map((store) => ({ value: store.node_id, label: store.node })),
          ]}
          value={search.node ?? EVERYTHING}
          allowDeselect={false}
          onChange={(value) => {
            change({ node: value ?? EVERYTHING });
          }}
        />
      )}
      <Select
        className={classes.choice ?? ""}
        aria-label={t("files.sort")}
        data={ORDERS.map((order) => ({ value: order, label: t(`files.order.${order}`) }))}
        value={search.sort ?? "name"}
        allowDeselect={false}
        onChange={(value) => {
          change({ sort: value === "name" ? EVERYTHING : (value ?? EVERYTHING) });
        }}
      />
    </Group>
  );
}
