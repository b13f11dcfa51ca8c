import { Alert, Button, Container, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconDownload, IconLock, IconPlug } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { enginesQuery } from "@/api/engines";
import type { EnginesView } from "@/api/generated/types.gen";
import { sessionQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { mayAct } from "@/lib/roles";
import { SettingsTabs } from "../SettingsTabs";
import { EnvironmentCard } from "./EnvironmentCard";
import { InstallDialog } from "./InstallDialog";
import { RegisterDialog } from "./RegisterDialog";

const route = getRouteApi("/settings/engines");

function Machines({ engines }: { engines: EnginesView }): ReactElement {
  const { t } = useTranslation();
  if (engines.items.length === 0)
    return (
      <EmptyState icon={<IconDownload size={32} />} title={t("engines.emptyTitle")} hint={t("engines.emptyHint")} />
    );
  return (
    <Stack gap="lg">
      {engines.nodes.map((node) => (
        <Stack key={node.node_id} gap="sm" component="section" aria-label={node.node}>
          <Title order={3} size="h4">
            {node.node}
          </Title>
          {engines.items
            .filter((item) => item.node_id === node.node_id)
            .map((item) => (
              <EnvironmentCard key={item.key} item={item} />
            ))}
        </Stack>
      ))}
    </Stack>
  );
}

function Engines(): ReactElement {
  const { t } = useTranslation();
  const engines = useQuery(enginesQuery);
  const { install, register } = route.useSearch();
  const navigate = route.useNavigate();
  const close = (): void => {
    void navigate({ search: {} });
  };
  if (!engines.data) {
    if (engines.error) return <ErrorAlert error={engines.error} onRetry={() => void engines.refetch()} />;
    return <Skeleton height={240} aria-label={t("common.loading")} />;
  }
  return (
    <>
      <Group justify="space-between" gap="xs" mb="md">
        <Text size="sm" c="dimmed" flex="1 1 280px">
          {t("engines.hint")}
        </Text>
        <Group gap="xs">
          <Button
            variant="default"
            leftSection={<IconPlug size={16} />}
            onClick={() => void navigate({ search: { register: true } })}
          >
            {t("engines.register")}
          </Button>
          <Button leftSection={<IconDownload size={16} />} onClick={() => void navigate({ search: { install: "" } })}>
            {t("engines.install")}
          </Button>
        </Group>
      </Group>
      <Machines engines={engines.data} />
      {install !== undefined && <InstallDialog engines={engines.data} wish={install} onClose={close} />}
      {register && <RegisterDialog nodes={engines.data.nodes} onClose={close} />}
    </>
  );
}

/** Versions of engines on every machine. For administrators. */
export function EnginesPage(): ReactElement {
  const { t } = useTranslation();
  const session = useQuery(sessionQuery);
  return (
    <Container size="md" py="lg">
      <Title order={2} mb="md">
        {t("shell.settings")}
      </Title>
      {mayAct(session.data, "admin") ? (
        <>
          <SettingsTabs active="/settings/engines" />
          <Engines />
        </>
      ) : (
        <Alert icon={<IconLock size={18} />} title={t("settings.adminOnly")} role="note" />
      )}
    </Container>
  );
}
