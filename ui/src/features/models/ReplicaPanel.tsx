import { Button, Group, Paper, Stack, Text } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ReplicaView } from "@/api/generated/types.gen";
import { PhaseBadge } from "@/components/PhaseBadge";
import { Reasons, TOLD_BY_BAR } from "@/components/Reasons";
import { TransferBar } from "@/components/TransferBar";
import { shareOf } from "@/lib/download";
import { formatBytes } from "@/lib/format";
import { Evidence } from "./Evidence";
import { SightBadge, SightChecks } from "./SightProof";
import { Timeline } from "./Timeline";
import { UnderWay } from "./UnderWay";

const route = getRouteApi("/models");

function useFacts(replica: ReplicaView): string {
  const { t } = useTranslation();
  return [
    replica.node ?? t("replica.unplaced"),
    ...replica.claims.map((claim) => t("replica.claims", { bytes: formatBytes(claim.bytes), device: claim.device_id })),
    replica.pid === null ? "" : t("replica.pid", { pid: replica.pid }),
    replica.attempt > 0 ? t("replica.attempts", { attempt: replica.attempt, restarts: replica.restarts }) : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** One replica: where it stands and why, its start-up, its log. */
export function ReplicaPanel({ replica }: { replica: ReplicaView }): ReactElement {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const facts = useFacts(replica);
  const failed = replica.phase === "failed" || replica.phase === "unreachable";
  const { download } = replica;
  return (
    <Paper p="md" component="section" aria-label={t("replica.title", { id: replica.id })} data-replica={replica.id}>
      <Stack gap="sm">
        <Group justify="space-between" wrap="wrap">
          <Stack gap={2}>
            <Text size="sm" fw={600}>
              {t("replica.title", { id: replica.id })}
            </Text>
            <Text size="sm" c="dimmed">
              {facts}
            </Text>
          </Stack>
          <Group gap="xs">
            {replica.sight && <SightBadge sight={replica.sight} />}
            <PhaseBadge phase={replica.phase} />
            {replica.attempt > 0 && (
              <Button
                size="compact-sm"
                variant="default"
                leftSection={<IconFileText size={14} />}
                onClick={() => void navigate({ search: (old) => ({ ...old, tab: "logs", log: replica.id }) })}
              >
                {t("replica.log")}
              </Button>
            )}
          </Group>
        </Group>
        {download && shareOf(download) < 1 && (
          <TransferBar progress={download} label={replica.deployment} moving={replica.phase === "downloading"} />
        )}
        <Reasons reasons={replica.reasons} failed={failed} hidden={download ? TOLD_BY_BAR : []} />
        <Evidence lines={replica.evidence} />
        {replica.under_way && !download && <UnderWay what={replica.under_way} />}
        <Timeline marks={replica.timeline} />
        {replica.sight && <SightChecks sight={replica.sight} />}
      </Stack>
    </Paper>
  );
}
