import { Paper, Text, Tooltip } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { TrafficView } from "@/api/generated/types.gen";
import { formatNumber, formatPercent, formatSeconds } from "@/lib/format";
import classes from "./Dashboard.module.css";
import { nowOf } from "./figures";

interface TileProps {
  name: "requests" | "ttft" | "tokens" | "running" | "failed";
  value: string;
}

function Tile({ name, value }: TileProps): ReactElement {
  const { t } = useTranslation();
  return (
    <Tooltip label={t(`dashboard.hint.${name}`)} multiline maw={280}>
      <Paper p="md" tabIndex={0} role="group" aria-label={t(`dashboard.tile.${name}`)} data-tile={name}>
        <Text size="xs" c="dimmed">
          {t(`dashboard.tile.${name}`)}
        </Text>
        <div className={classes.value}>{value}</div>
      </Paper>
    </Tooltip>
  );
}

/** What goes on now, in five figures. */
export function Tiles({ traffic }: { traffic: TrafficView }): ReactElement {
  const { t } = useTranslation();
  const now = nowOf(traffic);
  const none = "–";
  const load = (value: number | null): string => (value === null ? none : formatNumber(value, 0));
  return (
    <div className={classes.tiles}>
      <Tile name="requests" value={`${formatNumber(now.requestsPerSecond, 2)}/s`} />
      <Tile name="ttft" value={now.ttftMs === null ? none : formatSeconds(now.ttftMs / 1000)} />
      <Tile name="tokens" value={`${formatNumber(now.tokensPerSecond, 1)}/s`} />
      <Tile
        name="running"
        value={t("dashboard.runningWaiting", { running: load(now.running), waiting: load(now.waiting) })}
      />
      <Tile name="failed" value={now.failed === null ? none : formatPercent(now.failed)} />
    </div>
  );
}
