import { Button, Container, Group, Menu, Skeleton, Stack } from "@mantine/core";
import {
  IconBooks,
  IconChecks,
  IconChevronDown,
  IconCloudDownload,
  IconCube,
  IconFolder,
  IconSparkles,
} from "@tabler/icons-react";
import type { UseQueryResult } from "@tanstack/react-query";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { deploymentsQuery, sessionQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { PageHead } from "@/components/PageHead";
import { HUB_NAMES } from "@/lib/hubs";
import { mayAct } from "@/lib/roles";
import { Aliases } from "./Aliases";
import { BulkBar } from "./BulkBar";
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
  const { deploy, edit, copy, source } = route.useSearch();
  const navigate = route.useNavigate();
  const named = (name: string | undefined): DeploymentView | undefined =>
    deployments.find((deployment) => deployment.name === name);
  const edited = named(edit);
  const copied = named(copy);
  const known = edited ?? copied;
  const kind = source ? kindOf(source) : (deploy ?? "local");
  const close = (): void => {
    void navigate({ search: withoutForm });
  };
  const taken = deployments.map((deployment) => deployment.name);
  const given = known?.id ?? source;
  if (!given && !deploy) return null;
  if (!given && isHub(deploy)) return <HubDrawer key={deploy} hub={deploy} taken={taken} onClose={close} />;
  return (
    <DeploymentForm
      key={given ?? deploy}
      kind={kind}
      source={source}
      edited={edited}
      copied={copied?.spec}
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

/** What stands in place of a list that is not there, or empty. */
function Instead({ deployments }: { deployments: UseQueryResult<DeploymentView[]> }): ReactElement {
  const { t } = useTranslation();
  if (deployments.isPending) return <Skeleton height={240} role="status" aria-label={t("common.loading")} />;
  if (deployments.data) return <Empty />;
  return <ErrorAlert error={deployments.error} onRetry={() => void deployments.refetch()} />;
}

type Chosen = readonly string[] | null;

/** Begins and ends the choice of several deployments. */
function ChooseButton({ chosen, onChange }: { chosen: Chosen; onChange: (chosen: Chosen) => void }): ReactElement {
  const { t } = useTranslation();
  return (
    <Button
      variant="default"
      leftSection={<IconChecks size={16} />}
      aria-pressed={chosen !== null}
      onClick={() => {
        onChange(chosen === null ? [] : null);
      }}
    >
      {t("bulk.select")}
    </Button>
  );
}

/** All deployments, live, with what can be done with them. */
export function ModelsPage(): ReactElement {
  const { t } = useTranslation();
  const deployments = useQuery(deploymentsQuery);
  const session = useQuery(sessionQuery);
  const [chosen, setChosen] = useState<Chosen>(null);
  const items = deployments.data ?? [];
  const mayDeploy = mayAct(session.data, "operator");
  const toggle = (name: string): void => {
    setChosen((old) => (old?.includes(name) ? old.filter((one) => one !== name) : [...(old ?? []), name]));
  };
  return (
    <Container size="lg" py="lg">
      <PageHead title={t("shell.models")}>
        {items.length > 0 && mayDeploy && (
          <Group gap="xs">
            <ChooseButton chosen={chosen} onChange={setChosen} />
            <DeployButton />
          </Group>
        )}
      </PageHead>
      {chosen !== null && (
        <BulkBar
          chosen={items.filter(({ name }) => chosen.includes(name))}
          onDone={() => {
            setChosen(null);
          }}
        />
      )}
      {items.length === 0 && <Instead deployments={deployments} />}
      <Stack gap="sm">
        {items.map((deployment) => (
          <DeploymentCard
            key={deployment.id}
            deployment={deployment}
            chosen={chosen === null ? null : chosen.includes(deployment.name)}
            onChoose={() => {
              toggle(deployment.name);
            }}
          />
        ))}
      </Stack>
      {items.length > 0 && mayDeploy && <Aliases names={items.map(({ name }) => name)} />}
      {deployments.data && <Forms deployments={items} />}
    </Container>
  );
}
