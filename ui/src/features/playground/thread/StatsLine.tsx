import { Group, Text, Tooltip } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { formatSeconds } from "@/lib/format";
import type { Stats } from "../turns";

/** What an answer took. */
export function StatsLine({ stats }: { stats: Stats }): ReactElement {
  const { t } = useTranslation();
  return (
    <Group gap="md" data-stats>
      {stats.ttftMs !== null && (
        <Text size="xs" c="dimmed">
          {t("playground.ttft", { time: formatSeconds(stats.ttftMs / 1000) })}
        </Text>
      )}
      {stats.tokensPerSecond !== null && (
        <Text size="xs" c="dimmed">
          {t("playground.speed", { speed: stats.tokensPerSecond.toFixed(1) })}
        </Text>
      )}
      <Text size="xs" c="dimmed">
        {t("playground.total", { time: formatSeconds(stats.totalMs / 1000) })}
      </Text>
      {stats.completionTokens !== null && (
        <Tooltip label={t("playground.tokensHint")}>
          <Text size="xs" c="dimmed" tabIndex={0}>
            {t("playground.tokens", { prompt: stats.promptTokens ?? 0, completion: stats.completionTokens })}
          </Text>
        </Tooltip>
      )}
    </Group>
  );
}
