import { Badge, Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView } from "@/api/generated/types.gen";
import { Reasons } from "@/components/Reasons";
import { currentLanguage } from "@/i18n";
import { formatTime } from "@/lib/format";
import { DevicePanel } from "./DevicePanel";
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
  const engines = engineNames(node.engines);
  return (
    <Paper p="md" component="article" aria-label={node.hostname} data-node={node.id}>
      <Stack gap="md">
        <div>
          <Group justify="space-between" gap="xs">
            <Title order={2} size="h4">
              {node.hostname}
            </Title>
            <Liveness node={node} />
          </Group>
          <Text size="sm" c="dimmed">
            {engines ? t("nodes.engines", { names: engines }) : t("nodes.noEngines")}
          </Text>
        </div>
        <Reasons reasons={node.notes} failed={false} />
        {byImportance(node.devices).map((device) => (
          <DevicePanel key={device.device.id} node={node} view={device} />
        ))}
      </Stack>
    </Paper>
  );
}
