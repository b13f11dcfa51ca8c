import { Progress, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { TransferProgress } from "@/api/generated/types.gen";
import { formatRate, formatWait, shareOf } from "@/lib/download";
import { formatBytes } from "@/lib/format";

interface Props {
  progress: TransferProgress;
  /** What is downloaded, for those who do not see the bar. */
  label: string;
  /** Whether bytes arrive now; a download that stands still tells no rate. */
  moving: boolean;
  color?: string;
}

/** How far a download is: a bar, and bytes, rate and the time that is left in words. */
export function TransferBar({ progress, label, moving, color = "blue" }: Props): ReactElement {
  const { t } = useTranslation();
  const { done, total, rate, eta } = progress;
  const percent = Math.floor(shareOf(progress) * 100);
  const words = [
    t("transfer.bytes", { done: formatBytes(done), total: formatBytes(total) }),
    moving && typeof rate === "number" && formatRate(rate),
    moving && typeof eta === "number" && t("transfer.left", { time: formatWait(eta) }),
  ].filter(Boolean);
  return (
    <Stack gap={4} data-transfer={moving ? "moving" : "still"}>
      <Progress value={percent} color={color} animated={moving} aria-label={t("transfer.label", { name: label })} />
      <Text size="xs" c="dimmed">
        {`${percent} % · ${words.join(" · ")}`}
      </Text>
    </Stack>
  );
}
