import { Alert, Container, Skeleton, Stack, Title } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { hubSettingsQuery } from "@/api/hub";
import { sessionQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { mayAct } from "@/lib/roles";
import { Approvals } from "./Approvals";
import { ConnectionForm } from "./ConnectionForm";
import { SettingsTabs } from "./SettingsTabs";
import { Tokens } from "./Tokens";

function Waiting(): ReactElement {
  const { t } = useTranslation();
  return (
    <Stack aria-busy aria-label={t("common.loading")}>
      <Skeleton height={200} />
      <Skeleton height={420} />
    </Stack>
  );
}

function HubSettings(): ReactElement {
  const settings = useQuery(hubSettingsQuery);
  if (settings.data) {
    return (
      <Stack>
        <Tokens tokens={settings.data.tokens} />
        <ConnectionForm settings={settings.data} />
        <Approvals />
      </Stack>
    );
  }
  if (settings.error) return <ErrorAlert error={settings.error} onRetry={() => void settings.refetch()} />;
  return <Waiting />;
}

/** How this installation reaches the world. For administrators. */
export function SettingsPage(): ReactElement {
  const { t } = useTranslation();
  const session = useQuery(sessionQuery);
  return (
    <Container size="md" py="lg">
      <Title order={1} size="h2" mb="md">
        {t("shell.settings")}
      </Title>
      {mayAct(session.data, "admin") ? (
        <>
          <SettingsTabs active="/settings" />
          <HubSettings />
        </>
      ) : (
        <Alert icon={<IconLock size={18} />} title={t("settings.adminOnly")} role="note" />
      )}
    </Container>
  );
}
