import { Anchor, Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { filesQuery } from "@/api/hub";
import type { HubFilesView } from "@/api/generated/types.gen";
import type { Hub } from "@/api/hub";
import { ErrorAlert } from "@/components/ErrorAlert";
import { currentLanguage } from "@/i18n";
import { HUB_NAMES, hubPage } from "@/lib/hubs";
import type { FormState } from "../spec";
import { CatalogPick } from "./CatalogPick";
import { CodeApproval } from "./CodeApproval";
import classes from "./Hub.module.css";
import type { Carried } from "./HubForm";
import { HubForm } from "./HubForm";
import { HubReason } from "./HubReason";
import { Labels } from "@/components/Labels";
import { Readme } from "./Readme";
import { formatParameters } from "@/lib/format";

interface Props {
  hub: Hub;
  repository: string;
  taken: readonly string[];
  carried: Carried;
  onMove: (repository: string, files: string, form: FormState) => void;
  onClose: () => void;
}

function Head({ hub, repository, files }: { hub: Hub; repository: string; files?: HubFilesView }): ReactElement {
  const { t } = useTranslation();
  const facts = files && [
    files.architecture,
    files.parameters !== null && t("hub.parameters", { shown: formatParameters(files.parameters) }),
    files.context_length !== null && t("models.context", { tokens: files.context_length }),
    files.license && t("hub.licence", { name: files.license }),
    t("hub.commit", { commit: files.revision.slice(0, 12) }),
  ];
  return (
    <Stack gap={6}>
      <Title order={3} size="h4" className={classes.name ?? ""}>
        {repository}
      </Title>
      <Group gap={6} mih={20}>
        {files && <Labels capabilities={files.capabilities} gated={files.gated} />}
      </Group>
      <Text size="sm" c="dimmed" mih={20}>
        {facts?.filter(Boolean).join(" · ")}
      </Text>
      <Anchor href={hubPage(hub, repository)} target="_blank" rel="noopener noreferrer" size="sm">
        {t("hub.openPage", { hub: HUB_NAMES[hub] })} <IconExternalLink size={14} aria-hidden />
      </Anchor>
    </Stack>
  );
}

/** As high as what comes: the page does not jump. */
function Waiting(): ReactElement {
  const { t } = useTranslation();
  return (
    <Stack aria-busy aria-label={t("common.loading")}>
      <Skeleton height={20} width={120} />
      {Array.from({ length: 4 }, (_, row) => (
        <Skeleton key={row} height={56} />
      ))}
      <Skeleton height={36} />
      <Skeleton height={36} />
    </Stack>
  );
}

/** One repository: what it offers, what stands in the way, and the form that deploys it. */
export function Repository({ hub, repository, ...form }: Props): ReactElement {
  const { t } = useTranslation();
  const query = useQuery(filesQuery(hub, repository, currentLanguage()));
  const files = query.data;
  const again = (): void => void query.refetch();
  return (
    <Stack>
      <Head hub={hub} repository={repository} {...(files && { files })} />
      <CatalogPick hub={hub} />
      {query.isPending && <Waiting />}
      {query.error && <ErrorAlert error={query.error} onRetry={again} />}
      {files?.problem && (
        <>
          <HubReason reason={files.problem} page={hubPage(hub, repository)} />
          <Group>
            <Button size="xs" variant="default" loading={query.isFetching} onClick={again}>
              {t("common.retry")}
            </Button>
          </Group>
        </>
      )}
      {files?.notes.map((note) => (
        <HubReason key={note.code + note.message} reason={note} note />
      ))}
      {files && files.code_files.length > 0 && <CodeApproval files={files} />}
      <Readme hub={hub} repository={repository} />
      {files && files.choices.length > 0 && <HubForm files={files} {...form} />}
    </Stack>
  );
}
