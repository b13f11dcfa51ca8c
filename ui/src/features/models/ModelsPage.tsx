import { Button, Container, Group, Loader, Menu, Stack, Title } from "@mantine/core";
import { IconBooks, IconChevronDown, IconCloudDownload, IconCube, IconFolder, IconSparkles } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { HUB_NAMES } from "@/lib/hubs";
import { DeploymentCard } from "./DeploymentCard";
import { DeploymentForm } from "./DeploymentForm";
import { HubDrawer } from "./hub/HubDrawer";
import type { FormSource } from "./search";
import { isHub, withoutForm } from "./search";
import { kindOf } from "./spec";

const route = getRouteApi("/models");

function DeployButton(): ReactElement {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const anywhere = useNavigate();
  const choose = (deploy: FormSource) => () => void navigate({ search: (old) => ({ ...old, deploy }) });
  return (
    <Menu>
      <Menu.Target>
        <Button rightSection={<IconChevronDown size={16} />}>{t("models.deploy")}</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconBooks size={16} />} onClick={() => void anywhere({ to: "/catalog" })}>
          {t("catalog.title")}
        </Menu.Item>
        <Menu.Item leftSection={<IconCloudDownload size={16} />} onClick={choose("hf")}>
          {HUB_NAMES.hf}
        </Menu.Item>
        <Menu.Item leftSection={<IconCloudDownload size={16} />} onClick={choose("ms")}>
          {HUB_NAMES.ms}
        </Menu.Item>
        <Menu.Item leftSection={<IconFolder size={16} />} onClick={choose("local")}>
          {t("deploy.local")}
        </Menu.Item>
        <Menu.Item leftSection={<IconSparkles size={16} />} onClick={choose("demo")}>
          {t("deploy.demo")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Forms({ deployments }: { deployments: readonly DeploymentView[] }): ReactElement | null {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const edited = deployments.find((deployment) => deployment.name === search.edit);
  const close = (): void => {
    void navigate({ search: withoutForm });
  };
  const { source } = search;
  if (!search.deploy && !source && !edited) return null;
  const taken = deployments.map((deployment) => deployment.name);
  if (!edited && !source && isHub(search.deploy)) {
    return <HubDrawer key={search.deploy} hub={search.deploy} taken={taken} onClose={close} />;
  }
  return (
    <DeploymentForm
      key={edited?.id ?? source ?? search.deploy}
      kind={source ? kindOf(source) : (search.deploy ?? "local")}
      source={source}
      edited={edited}
      taken={taken}
      onClose={close}
    />
  );
}

function Empty(): ReactElement {
  const { t } = useTranslation();
  return (
    <EmptyState icon={<IconCube size={32} />} title={t("models.emptyTitle")} hint={t("models.emptyHint")}>
      <DeployButton />
    </EmptyState>
  );
}

/** All deployments, live, with what can be done with them. */
export function ModelsPage(): ReactElement {
  const { t } = useTranslation();
  const deployments = useQuery(deploymentsQuery);
  const items = deployments.data ?? [];
  return (
    <Container size="lg" py="lg">
      <Group justify="space-between" mb="md">
        <Title order={1} size="h2">
          {t("shell.models")}
        </Title>
        {items.length > 0 && <DeployButton />}
      </Group>
      {deployments.isPending && <Loader aria-label={t("common.loading")} />}
      {deployments.error && !deployments.data && (
        <ErrorAlert error={deployments.error} onRetry={() => void deployments.refetch()} />
      )}
      {deployments.isSuccess && items.length === 0 && <Empty />}
      <Stack gap="sm">
        {items.map((deployment) => (
          <DeploymentCard key={deployment.id} deployment={deployment} />
        ))}
      </Stack>
      {deployments.data && <Forms deployments={items} />}
    </Container>
  );
}
