import { Accordion, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { readmeQuery } from "@/api/hub";
import type { Hub } from "@/api/hub";
import { ErrorAlert } from "@/components/ErrorAlert";
import { readmeBase } from "@/lib/hubs";

const Markdown = lazy(async () => ({ default: (await import("@/components/Markdown")).Markdown }));

interface Props {
  hub: Hub;
  repository: string;
}

function Waiting(): ReactElement {
  return (
    <Stack gap="xs">
      <Skeleton height={20} width="60%" />
      <Skeleton height={80} />
    </Stack>
  );
}

function ReadmeText({ hub, repository }: Props): ReactElement {
  const { t } = useTranslation();
  const query = useQuery(readmeQuery(hub, repository));
  if (query.error) return <ErrorAlert error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Waiting />;
  if (query.data.text.trim() === "") {
    return (
      <Text size="sm" c="dimmed">
        {t("hub.readmeEmpty")}
      </Text>
    );
  }
  return (
    <Suspense fallback={<Waiting />}>
      <Markdown text={query.data.text} base={readmeBase(hub, repository)} withoutHtml />
      {query.data.truncated && (
        <Text size="sm" c="dimmed" mt="sm">
          {t("hub.readmeCut")}
        </Text>
      )}
    </Suspense>
  );
}

/** What the publisher says of the model, fetched when somebody wants to read it. */
export function Readme({ hub, repository }: Props): ReactElement {
  const { t } = useTranslation();
  const [open, setOpen] = useState<string | null>(null);
  return (
    <Accordion variant="contained" value={open} onChange={setOpen}>
      <Accordion.Item value="readme">
        <Accordion.Control>{t("hub.readme")}</Accordion.Control>
        <Accordion.Panel mah={420} style={{ overflow: "auto" }}>
          {open && <ReadmeText hub={hub} repository={repository} />}
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}
