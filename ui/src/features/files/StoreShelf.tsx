import { Group, Stack, Text, Title } from "@mantine/core";
import { IconServer } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { CopyText } from "@/components/CopyText";
import { formatBytes } from "@/lib/format";
import { FilesCard } from "./FilesCard";
import classes from "./Files.module.css";
import type { Shelf } from "./list";
import { entryId } from "./list";

/** A machine: its store and the disk, and the models whose files lie there. */
export function StoreShelf({ shelf }: { shelf: Shelf }): ReactElement {
  const { t } = useTranslation();
  const heading = useId();
  const { store, items, count } = shelf;
  return (
    <Stack component="section" gap="sm" aria-labelledby={heading} data-store={store.node_id}>
      <Group justify="space-between" gap={4}>
        <Group gap={8} wrap="nowrap">
          <IconServer size={18} aria-hidden />
          <Title order={3} size="h4" id={heading} className={classes.wrapping ?? ""}>
            {store.node}
          </Title>
        </Group>
        <Text size="sm" c="dimmed" component="div" className={classes.wrapping ?? ""}>
          {t("files.storePath")} <CopyText text={store.path} label={t("files.storePath")} />
          {` · ${t("files.storeUsed", { bytes: formatBytes(store.used) })}`}
          {store.disk_free !== null && ` · ${t("files.storeFree", { bytes: formatBytes(store.disk_free) })}`}
        </Text>
      </Group>
      {items.map((item) => (
        <FilesCard key={entryId(item)} item={item} store={store} />
      ))}
      {items.length === 0 && (
        <Text size="sm" c="dimmed">
          {count > 0 ? t("files.noneShown", { files: count }) : t("files.none")}
        </Text>
      )}
    </Stack>
  );
}
