import { Badge, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView } from "@/api/generated/types.gen";
import { sessionQuery } from "@/api/queries";
import { Reasons } from "@/components/Reasons";
import { currentLanguage } from "@/i18n";
import { formatTime } from "@/lib/format";
import { labelTexts } from "@/lib/labels";
import { mayAct } from "@/lib/roles";
import { DevicePanel } from "./DevicePanel";
import { NodeActions } from "./NodeActions";
import { byImportance, engineNames } from "./rules";

function Liveness({ node }: { node: NodeView }): ReactElement {
  const { t } = useTranslation();
  const since = node.last_report_at;
  const silent =
    since === null ? t("nodes.silentNever") : t("nodes.silent", { time: formatTime(since, currentLanguage()) });
  return (
    <Badge variant="light" color={node.alive ? "teal" : "orange"} tt="none" data-alive={node.alive}>
      {node.alive ? t("nodes.alive") : silent}
    </Badge>
  );
}

/** One machine. */
export function NodeCard({ node }: { node: NodeView }): ReactElement {
  const { t } = useTranslation();
  const session = useQuery(sessionQuery);
  const engines = engineNames(node.engines);
  const labels = labelTexts(node.labels);
  return (
    <Paper p="md" component="article" aria-label={node.hostname} data-node={node.id}>
      <Stack gap="md">
        <div>
          <Group justify="space-between" gap="xs">
            <Title order={2} size="h4">
              {node.hostname}
            </Title>
            <Group gap="xs">
              {node.drained_at !== null && (
                <Badge variant="light" color="orange" tt="none" data-drained>
                  {t("nodes.drained")}
                </Badge>
              )}
              <Liveness node={node} />
              {mayAct(session.data, "admin") && <NodeActions node={node} />}
            </Group>
          </Group>
          <Text size="sm" c="dimmed">
            {engines ? t("nodes.engines", { names: engines }) : t("nodes.noEngines")}
          </Text>
          <Group gap={6} mt={labels.length > 0 ? 6 : 0}>
            {labels.map((label) => (
              <Badge key={label} variant="outline" size="sm" tt="none" data-label={label}>
                {label}
              </Badge>
            ))}
          </Group>
        </div>
        <Reasons reasons={node.notes} failed={false} />
        {byImportance(node.devices).map((device) => (
          <DevicePanel key={device.device.id} node={node} view={device} />
        ))}
      </Stack>
    </Paper>
  );
}
