import { Button, Container, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconDatabase, IconDownload, IconLock, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { FilesView } from "@/api/generated/types.gen";
import { filesQuery, sessionQuery } from "@/api/queries";
import { CodeBlock } from "@/components/CodeBlock";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { mayAct } from "@/lib/roles";
import { AddDialog } from "./AddDialog";
import { FilterBar } from "./FilterBar";
import { shelves } from "./list";
import { StoreShelf } from "./StoreShelf";

const route = getRouteApi("/files");
const IMPORT = "aimindserve files import /media/usb/Qwen2-VL-2B-Instruct-GGUF";

function AddButton(): ReactElement {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  return (
    <Button
      leftSection={<IconDownload size={16} />}
      onClick={() => void navigate({ search: (old) => ({ ...old, add: true }) })}
    >
      {t("files.add")}
    </Button>
  );
}

/** What comes here by itself, what can be fetched, and what a machine without internet does. */
function Empty({ files }: { files: FilesView }): ReactElement {
  const { t } = useTranslation();
  return (
    <Stack gap="lg">
      <EmptyState icon={<IconDatabase size={32} />} title={t("files.emptyTitle")} hint={t("files.emptyHint")}>
        <AddButton />
        <Text size="sm" c="dimmed" ta="center" mt="md">
          {t("files.importHint")}
        </Text>
        <CodeBlock text={IMPORT} label={t("files.importHint")} />
      </EmptyState>
      {shelves(files, {}).map((shelf) => (
        <StoreShelf key={shelf.store.node_id} shelf={shelf} />
      ))}
    </Stack>
  );
}

function NoMatch(): ReactElement {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  return (
    <EmptyState icon={<IconSearch size={32} />} title={t("files.noMatch")} hint={t("files.noMatchHint")}>
      <Button
        variant="default"
        onClick={() => void navigate({ search: ({ sort }) => (sort ? { sort } : {}), replace: true })}
      >
        {t("files.clear")}
      </Button>
    </EmptyState>
  );
}

function Found({ files }: { files: FilesView }): ReactElement {
  const search = route.useSearch();
  const found = shelves(files, search);
  const shown = found.reduce((sum, shelf) => sum + shelf.items.length, 0);
  return (
    <Stack gap="lg">
      <FilterBar stores={files.stores} />
      {shown === 0 ? <NoMatch /> : found.map((shelf) => <StoreShelf key={shelf.store.node_id} shelf={shelf} />)}
    </Stack>
  );
}

function Loading(): ReactElement {
  const { t } = useTranslation();
  return (
    <Stack gap="sm" role="status" aria-label={t("common.loading")}>
      <Skeleton height={36} />
      <Skeleton height={92} />
      <Skeleton height={92} />
    </Stack>
  );
}

function Body({ children }: { children: (files: FilesView) => ReactNode }): ReactElement {
  const files = useQuery(filesQuery);
  if (files.data) return <>{children(files.data)}</>;
  return files.error ? <ErrorAlert error={files.error} onRetry={() => void files.refetch()} /> : <Loading />;
}

/** The files of models on every machine, live, with what can be done with them. */
export function FilesPage(): ReactElement {
  const { t } = useTranslation();
  const session = useQuery(sessionQuery);
  const { add } = route.useSearch();
  const navigate = route.useNavigate();
  if (session.data && !mayAct(session.data, "operator"))
    return <EmptyState icon={<IconLock size={32} />} title={t("files.adminTitle")} hint={t("files.adminHint")} />;
  const close = (): void => {
    void navigate({ search: ({ add: _add, ...rest }) => rest });
  };
  return (
    <Container size="lg" py="lg">
      <Body>
        {(files) => (
          <>
            <Group justify="space-between" gap="xs" mb={6}>
              <Title order={2}>{t("files.title")}</Title>
              {files.items.length > 0 && <AddButton />}
            </Group>
            <Text size="sm" c="dimmed" mb="md">
              {t("files.hint")}
            </Text>
            {files.items.length > 0 ? <Found files={files} /> : <Empty files={files} />}
            <AddDialog opened={add === true} files={files} onClose={close} />
          </>
        )}
      </Body>
    </Container>
  );
}
