import { Button, Drawer, FileButton, Group, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconDownload, IconTrash, IconUpload } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { formatBytes, formatTime } from "@/lib/format";
import { saveFile } from "@/lib/saveFile";
import { TurnAction } from "../thread/TurnAction";
import type { Head } from "./format";
import { exported, imported } from "./format";
import classes from "./History.module.css";
import { listHeads, load, loadAll, remove, save } from "./store";
import { HISTORY_KEY } from "./useHistory";

interface Props {
  owner: string;
  /** The conversation that is open; null for none. */
  current: string | null;
  onOpen: (head: Head) => void;
  /** The open conversation is no longer kept. */
  onGone: () => void;
  onClose: () => void;
}

function Row({ head, current, onOpen, onExport, onDelete }: RowProps): ReactElement {
  const { t, i18n } = useTranslation();
  const title = head.title || t("history.untitled");
  return (
    <Group wrap="nowrap" gap={4} className={classes.row ?? ""} data-current={current} data-conversation={head.id}>
      <button type="button" className={classes.open} onClick={onOpen}>
        <Text size="sm" truncate>
          {title}
        </Text>
        <Text size="xs" c="dimmed">
          {head.model} · {formatTime(head.at / 1000, i18n.language)} · {formatBytes(head.bytes)}
        </Text>
      </button>
      <TurnAction label={t("history.exportOne", { title })} icon={<IconDownload size={16} />} onClick={onExport} />
      <TurnAction label={t("history.delete", { title })} icon={<IconTrash size={16} />} onClick={onDelete} />
    </Group>
  );
}

interface RowProps {
  head: Head;
  current: boolean;
  onOpen: () => void;
  onExport: () => void;
  onDelete: () => void;
}

function useStored(owner: string) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const heads = useQuery({ queryKey: [HISTORY_KEY, owner], queryFn: () => listHeads(owner), retry: false });
  const changed = () => queries.invalidateQueries({ queryKey: [HISTORY_KEY] });
  const complain = (message: string): void => {
    notifications.show({ color: "red", message, autoClose: 8000 });
  };
  return {
    heads: heads.data ?? [],
    drop: async (ids: readonly string[]): Promise<void> => {
      await remove(owner, ids);
      await changed();
    },
    take: async (file: File | null): Promise<void> => {
      const found = file && imported(await file.text());
      if (file && !found) complain(t("history.unreadable", { name: file.name }));
      if (!found) return;
      await save(owner, found).catch(() => {
        complain(t("history.failed"));
      });
      await changed();
    },
    give: async (head: Head | null): Promise<void> => {
      const one = head && (await load(owner, head.id));
      const all = head ? (one ? [one] : []) : await loadAll(owner);
      saveFile(exported(all), "conversations.json", "application/json");
    },
  };
}

/** The conversations that this browser keeps. */
export function HistoryDrawer({ owner, current, onOpen, onGone, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const { heads, drop, take, give } = useStored(owner);
  const [sure, setSure] = useState(false);
  return (
    <Drawer opened onClose={onClose} title={t("history.title")} closeButtonProps={{ "aria-label": t("common.close") }}>
      <Stack gap="sm">
        <Text size="sm" c="dimmed">
          {t("history.hint")}
        </Text>
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} />}
            disabled={heads.length === 0}
            onClick={() => void give(null)}
          >
            {t("history.exportAll")}
          </Button>
          <FileButton accept="application/json,.json" onChange={(file) => void take(file)}>
            {(button) => (
              <Button {...button} size="xs" variant="default" leftSection={<IconUpload size={14} />}>
                {t("history.import")}
              </Button>
            )}
          </FileButton>
          <Button
            size="xs"
            color="red"
            variant={sure ? "filled" : "light"}
            disabled={heads.length === 0}
            onClick={() => {
              setSure(!sure);
              if (!sure) return;
              void drop(heads.map((head) => head.id)).then(onGone);
            }}
          >
            {sure ? t("history.deleteSure", { count: heads.length }) : t("history.deleteAll")}
          </Button>
        </Group>
        {heads.length === 0 && <Text size="sm">{t("history.empty")}</Text>}
        <div>
          {heads.map((head) => (
            <Row
              key={head.id}
              head={head}
              current={head.id === current}
              onOpen={() => {
                onOpen(head);
              }}
              onExport={() => void give(head)}
              onDelete={() =>
                void drop([head.id]).then(() => {
                  if (head.id === current) onGone();
                })
              }
            />
          ))}
        </div>
      </Stack>
    </Drawer>
  );
}
