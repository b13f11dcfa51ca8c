import { Group, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Mark } from "@/api/generated/types.gen";
import { formatSeconds } from "@/lib/format";
import classes from "./Timeline.module.css";
import { isStage } from "./stages";
import { steps, totalSeconds } from "./timeline";

/** What a replica's start went through, and how long each stage took. */
export function Timeline({ marks }: { marks: readonly Mark[] }): ReactElement | null {
  const { t } = useTranslation();
  if (marks.length === 0) return null;
  const total = totalSeconds(marks);
  return (
    <section>
      <Group justify="space-between" mb={6}>
        <Text size="sm" fw={600}>
          {t("replica.timeline")}
        </Text>
        {total !== null && (
          <Text size="xs" c="dimmed">
            {t("replica.total", { time: formatSeconds(total) })}
          </Text>
        )}
      </Group>
      <ol className={classes.steps}>
        {steps(marks).map(({ stage, seconds }, index) => (
          <li key={`${stage}-${String(index)}`} className={classes.step}>
            <Text size="sm">{isStage(stage) ? t(`stage.${stage}`) : stage}</Text>
            <Text size="xs" c="dimmed">
              {seconds === null ? "" : `+${formatSeconds(seconds)}`}
            </Text>
          </li>
        ))}
      </ol>
    </section>
  );
}
