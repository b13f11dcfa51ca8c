import type { ReactElement } from "react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Chart } from "@/components/chart/Chart";
import type { Series, Tone } from "@/components/chart/options";
import { formatNumber } from "@/lib/format";
import type { Day } from "./sums";

const count = (value: number): string => formatNumber(value, 0);

/** Tokens of each day: prompts below, answers above. */
export function DayChart({ days }: { days: readonly Day[] }): ReactElement {
  const { t } = useTranslation();
  const series = useMemo(() => {
    const row = (name: string, tone: Tone, field: "prompt_tokens" | "completion_tokens"): Series => ({
      name,
      tone,
      points: days.map(({ day, sum }) => [Date.parse(day) / 1000, sum[field]]),
    });
    return [row(t("usage.prompt"), "blue", "prompt_tokens"), row(t("usage.completion"), "teal", "completion_tokens")];
  }, [days, t]);
  return <Chart title={t("usage.perDay")} series={series} format={count} kind="bars" stacked days />;
}
