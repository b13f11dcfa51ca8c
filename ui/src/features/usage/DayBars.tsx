import { Group, Stack, Text, Tooltip } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Day } from "./sums";
import { tokensOf } from "./sums";
import classes from "./Usage.module.css";

const HEIGHT = 100;

/** A bar for each day; prompts below, answers above. */
export function DayBars({ days, count }: { days: readonly Day[]; count: (value: number) => string }): ReactElement {
  const { t } = useTranslation();
  const most = Math.max(1, ...days.map(({ sum }) => tokensOf(sum)));
  const share = (tokens: number): number => (tokens / most) * HEIGHT;
  return (
    <Stack gap={4}>
      <Group justify="space-between">
        <Text size="sm" fw={500}>
          {t("usage.perDay")}
        </Text>
        <Group gap="md">
          <Text size="xs" className={classes.prompts ?? ""}>
            {t("usage.prompt")}
          </Text>
          <Text size="xs" className={classes.answers ?? ""}>
            {t("usage.completion")}
          </Text>
        </Group>
      </Group>
      <ul className={classes.bars ?? ""} aria-label={t("usage.perDay")}>
        {days.map(({ day, sum }) => {
          const words = t("usage.tokensOf", { day, tokens: count(tokensOf(sum)), requests: count(sum.requests) });
          return (
            <Tooltip key={day} label={words}>
              <li className={classes.bar ?? ""} aria-label={words}>
                <svg viewBox={`0 0 1 ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
                  <rect
                    className={classes.promptBar ?? ""}
                    width="1"
                    y={HEIGHT - share(sum.prompt_tokens)}
                    height={share(sum.prompt_tokens)}
                  />
                  <rect
                    className={classes.answerBar ?? ""}
                    width="1"
                    y={HEIGHT - share(tokensOf(sum))}
                    height={share(sum.completion_tokens)}
                  />
                </svg>
              </li>
            </Tooltip>
          );
        })}
      </ul>
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          {days[0]?.day}
        </Text>
        <Text size="xs" c="dimmed">
          {days.at(-1)?.day}
        </Text>
      </Group>
    </Stack>
  );
}
