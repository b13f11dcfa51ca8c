import { Skeleton, Text, useComputedColorScheme } from "@mantine/core";
import type { ReactElement } from "react";
import { lazy, Suspense, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { currentLanguage } from "@/i18n";
import classes from "./Chart.module.css";
import type { ChartLook, Series } from "./options";
import { toneOf } from "./options";

const Canvas = lazy(() => import("./Canvas").then(({ Canvas: drawing }) => ({ default: drawing })));

interface Props {
  title: string;
  series: readonly Series[];
  format: (value: number) => string;
  kind?: ChartLook["kind"];
  stacked?: boolean;
  most?: number;
  height?: number;
  /** Whether a point is a day (UTC), not a time of day. */
  days?: boolean;
}

const lastValue = ({ points }: Series): number | null => points.findLast(([, value]) => value !== null)?.[1] ?? null;

/** Figures over time in the one style of the page, with a legend that tells the latest value. */
export function Chart({
  title,
  series,
  format,
  kind = "line",
  stacked = false,
  most,
  height = 180,
  days = false,
}: Props): ReactElement {
  const { t } = useTranslation();
  const dark = useComputedColorScheme("light") === "dark";
  const language = currentLanguage();
  const look = useMemo<ChartLook>(() => {
    const style: Intl.DateTimeFormatOptions = days
      ? { month: "short", day: "numeric", timeZone: "UTC" }
      : { hour: "2-digit", minute: "2-digit" };
    const time = new Intl.DateTimeFormat(language, style);
    return {
      kind,
      stacked,
      days,
      dark,
      format,
      time: (at) => time.format(at * 1000),
      ...(most === undefined ? {} : { most }),
    };
  }, [kind, stacked, dark, format, most, days, language]);
  const empty = series.every(({ points }) => points.every(([, value]) => value === null));
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.head}>
        <Text size="sm" fw={600} span>
          {title}
        </Text>
        <ul className={classes.legend}>
          {series.map((one) => {
            const value = lastValue(one);
            return (
              <li key={one.name}>
                <span className={classes.dot} style={{ background: toneOf(one.tone, dark) }} aria-hidden />
                {one.name}
                {!days && value !== null && <b>{format(value)}</b>}
              </li>
            );
          })}
        </ul>
      </figcaption>
      {empty ? (
        <Text className={classes.empty ?? ""} c="dimmed" size="sm" h={height}>
          {t("chart.empty")}
        </Text>
      ) : (
        <Suspense fallback={<Skeleton height={height} />}>
          <Canvas label={title} series={series} look={look} height={height} />
        </Suspense>
      )}
    </figure>
  );
}
