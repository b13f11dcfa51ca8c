import { Anchor, Group, Paper, Progress, Stack, Text, Title } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeviceSumView, OverviewView, Phase } from "@/api/generated/types.gen";
import { PhaseBadge } from "@/components/PhaseBadge";
import { formatBytes } from "@/lib/format";
import classes from "./Dashboard.module.css";

interface ShareProps {
  label: string;
  bytes: number;
  total: number;
  color: string;
}

function Share({ label, bytes, total, color }: ShareProps): ReactElement {
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Text size="sm">{label}</Text>
        <Text size="sm" className={classes.number ?? ""}>
          {formatBytes(bytes)} / {formatBytes(total)}
        </Text>
      </Group>
      <Progress value={total > 0 ? (bytes / total) * 100 : 0} color={color} aria-label={label} />
    </div>
  );
}

function DeviceSum({ sum }: { sum: DeviceSumView }): ReactElement {
  const { t } = useTranslation();
  const name = t(`dashboard.kind.${sum.kind}`, { count: sum.devices });
  return (
    <Stack gap={6} role="group" aria-label={name} data-kind={sum.kind}>
      <Group justify="space-between">
        <Text fw={600} size="sm">
          {name}
        </Text>
        <Text size="sm" c="dimmed">
          {t("dashboard.free", { bytes: formatBytes(sum.free) })}
        </Text>
      </Group>
      <Share label={t("nodes.booked")} bytes={sum.claimed} total={sum.total} color="indigo" />
      <Share label={t("nodes.inUse")} bytes={sum.used} total={sum.total} color="teal" />
    </Stack>
  );
}

/** Devices of all machines: booked, in use, free. */
export function Devices({ overview }: { overview: OverviewView }): ReactElement {
  const { t } = useTranslation();
  return (
    <Paper p="md" component="section">
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h5">
          {t("dashboard.devices")}
        </Title>
        <Anchor size="sm" renderRoot={(props) => <Link to="/nodes" {...props} />}>
          {t("dashboard.machines", { alive: overview.nodes_alive, all: overview.nodes })}
        </Anchor>
      </Group>
      <Stack>
        {overview.devices.length === 0 && <Text c="dimmed">{t("nodes.emptyTitle")}</Text>}
        {overview.devices.map((sum) => (
          <DeviceSum key={sum.kind} sum={sum} />
        ))}
      </Stack>
    </Paper>
  );
}

function Phases({ counts, label }: { counts: Partial<Record<Phase, number>>; label: string }): ReactElement {
  const { t } = useTranslation();
  const found = Object.entries(counts) as [Phase, number][];
  return (
    <div role="group" aria-label={label}>
      <Text size="sm" fw={600} mb={6}>
        {label}
      </Text>
      <Group gap="md">
        {found.length === 0 && (
          <Text size="sm" c="dimmed">
            {t("dashboard.none")}
          </Text>
        )}
        {found.map(([phase, count]) => (
          <Group key={phase} gap={6}>
            <Text fw={650} span>
              {count}
            </Text>
            <PhaseBadge phase={phase} />
          </Group>
        ))}
      </Group>
    </div>
  );
}

/** How many models and replicas stand where. */
export function Standing({ overview }: { overview: OverviewView }): ReactElement {
  const { t } = useTranslation();
  return (
    <Paper p="md" component="section">
      <Title order={2} size="h5" mb="sm">
        {t("shell.models")}
      </Title>
      <Stack>
        <Phases label={t("dashboard.deployments")} counts={overview.deployments} />
        <Phases label={t("models.replicas")} counts={overview.replicas} />
      </Stack>
    </Paper>
  );
}
