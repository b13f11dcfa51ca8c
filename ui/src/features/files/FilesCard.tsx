import { ActionIcon, Badge, Collapse, Group, Paper, Stack, Text } from "@mantine/core";
import { IconChevronRight, IconExternalLink } from "@tabler/icons-react";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ModelFilesView, StoreView } from "@/api/generated/types.gen";
import { CopyText } from "@/components/CopyText";
import { Reasons } from "@/components/Reasons";
import { TransferBar } from "@/components/TransferBar";
import { currentLanguage } from "@/i18n";
import { formatBytes, formatTime } from "@/lib/format";
import { FileActions } from "./FileActions";
import classes from "./Files.module.css";
import { FileTable } from "./FileTable";
import { modelPage, shortRevision, sourceText } from "./hub";
import { entryId } from "./list";
import { StateBadge } from "./StateBadge";

const route = getRouteApi("/files");

/** Where the files come from: a link to the hub's page, or the path. */
function Origin({ item }: { item: ModelFilesView }): ReactElement {
  const { t } = useTranslation();
  const page = modelPage(item.source, item.revision);
  return (
    <Text size="sm" c="dimmed" component="div" className={classes.facts ?? ""}>
      {page ? (
        <a
          className={classes.link}
          href={page.url}
          target="_blank"
          rel="noreferrer noopener"
          title={t("files.openHub", { repository: page.repository })}
        >
          {sourceText(item.source)}
          <IconExternalLink className={classes.outside ?? ""} size={14} aria-hidden />
        </a>
      ) : (
        sourceText(item.source)
      )}
      {item.revision && (
        <>
          {" · "}
          <CopyText text={item.revision} shown={shortRevision(item.revision)} label={t("files.revision")} />
        </>
      )}
      {` · ${formatBytes(item.size)}`}
      {item.brought_from && ` · ${t("files.importingFrom", { folder: item.brought_from })}`}
      {item.files.length > 1 && ` · ${t("files.fileCount", { files: item.files.length })}`}
    </Text>
  );
}

function UsedBy({ names }: { names: readonly string[] }): ReactElement {
  const { t } = useTranslation();
  if (names.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {t("files.unused")}
      </Text>
    );
  return (
    <Group gap={6}>
      <Text size="sm" c="dimmed" span>
        {t("files.usedBy")}
      </Text>
      {names.map((name) => (
        <Text key={name} size="sm" span>
          <Link to="/models" search={{ open: name }} className={classes.link ?? ""}>
            {name}
          </Link>
        </Text>
      ))}
    </Group>
  );
}

function Badges({ item }: { item: ModelFilesView }): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      {item.quantization && (
        <Badge variant="outline" size="sm" color="gray" tt="none">
          {item.quantization}
        </Badge>
      )}
      {item.capabilities.includes("vision") && (
        <Badge variant="outline" size="sm" tt="none">
          {t("files.vision")}
        </Badge>
      )}
      {item.kind === "local" && (
        <Badge variant="outline" size="sm" color="gray" tt="none">
          {t("files.local")}
        </Badge>
      )}
    </>
  );
}

const COLOURS: Partial<Record<ModelFilesView["state"], string>> = { downloading: "blue", failed: "red" };

/** How far the download is and why it stands still; nothing once the files are there. */
function Standing({ item }: { item: ModelFilesView }): ReactElement | null {
  const { t } = useTranslation();
  const { name, state, reasons, retry_at: retryAt } = item;
  if (state === "ready" && reasons.length === 0) return null;
  return (
    <Stack gap="xs" className={classes.below ?? ""}>
      {state !== "ready" && item.kind === "store" && (
        <TransferBar
          progress={item.progress}
          label={name}
          moving={state === "downloading"}
          color={COLOURS[state] ?? "gray.6"}
        />
      )}
      {retryAt !== null && (
        <Text size="sm">{t("files.retryAt", { time: formatTime(retryAt, currentLanguage()) })}</Text>
      )}
      <Reasons reasons={reasons} failed={state === "failed"} />
    </Stack>
  );
}

/** A model's files on a machine: what they are, where they stand, and what can be done. */
export function FilesCard({ item, store }: { item: ModelFilesView; store: StoreView }): ReactElement {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { name, state } = item;
  const id = entryId(item);
  const open = search.open === id;
  const toggle = (): void => {
    void navigate({ search: ({ open: _open, ...rest }) => (open ? rest : { ...rest, open: id }), replace: true });
  };
  return (
    <Paper component="article" aria-label={name} data-files={item.key}>
      <Group p="md" gap="sm" wrap="wrap" align="center">
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-expanded={open}
          aria-label={open ? t("files.hideFiles", { name }) : t("files.showFiles", { name })}
          onClick={toggle}
        >
          <IconChevronRight size={18} className={open ? classes.open : classes.closed} />
        </ActionIcon>
        <Stack gap={3} className={classes.title ?? ""}>
          <Group gap="xs">
            <Text fw={600} className={classes.name ?? ""}>
              {name}
            </Text>
            <Badges item={item} />
          </Group>
          <Origin item={item} />
          <UsedBy names={item.used_by} />
        </Stack>
        <StateBadge state={state} brought={item.brought_from !== null} />
        <FileActions item={item} store={store} />
      </Group>
      <Standing item={item} />
      <Collapse expanded={open}>{open && <FileTable item={item} />}</Collapse>
    </Paper>
  );
}
