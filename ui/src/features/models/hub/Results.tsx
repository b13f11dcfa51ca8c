import { Button, Center, Skeleton, Stack } from "@mantine/core";
import { IconCloudOff, IconSearch } from "@tabler/icons-react";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { HubModelView } from "@/api/generated/types.gen";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import classes from "./Hub.module.css";
import { HubReason } from "./HubReason";
import { ResultRow } from "./ResultRow";
import type { HubSearch } from "./useHubSearch";

interface Props {
  found: HubSearch;
  repository: string | undefined;
  onChoose: (repository: string) => void;
}

function Waiting(): ReactElement {
  const { t } = useTranslation();
  return (
    <Stack gap={8} aria-busy aria-label={t("common.loading")}>
      {Array.from({ length: 8 }, (_, row) => (
        <Skeleton key={row} height={74} />
      ))}
    </Stack>
  );
}

function Problem({ found }: { found: HubSearch }): ReactElement | null {
  const { t } = useTranslation();
  const retry = (): void => {
    found.again();
  };
  if (found.error) return <ErrorAlert error={found.error} onRetry={retry} />;
  if (!found.offline) return null;
  return (
    <Stack p="xs">
      <Center c="dimmed">
        <IconCloudOff size={32} aria-hidden />
      </Center>
      <HubReason reason={found.offline} />
      <Center>
        <Button size="xs" variant="default" onClick={retry}>
          {t("common.retry")}
        </Button>
      </Center>
    </Stack>
  );
}

function More({ found }: { found: HubSearch }): ReactElement | null {
  const { t } = useTranslation();
  if (!found.hasMore) return null;
  return (
    <Center py="xs">
      <Button size="xs" variant="default" loading={found.loadingMore} onClick={found.more}>
        {t("hub.more")}
      </Button>
    </Center>
  );
}

/** What the hub found, in its order. */
export function Results({ found, repository, onChoose }: Props): ReactElement {
  const { t } = useTranslation();
  const row = (model: HubModelView): ReactNode => (
    <li key={model.repository}>
      <ResultRow
        model={model}
        chosen={model.repository === repository}
        onChoose={() => {
          onChoose(model.repository);
        }}
      />
    </li>
  );
  const nothing = found.settled && !found.error && !found.offline && found.models.length === 0;
  return (
    <div className={classes.results}>
      {found.waiting && <Waiting />}
      <Problem found={found} />
      {nothing && (
        <EmptyState icon={<IconSearch size={28} />} title={t("hub.nothingTitle")} hint={t("hub.nothingHint")} />
      )}
      <ul className={classes.plain} aria-label={t("hub.results")} aria-busy={found.refreshing}>
        {found.models.map(row)}
      </ul>
      <More found={found} />
    </div>
  );
}
