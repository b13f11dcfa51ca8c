import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { project } from "./pca";
import classes from "./Vectors.module.css";

interface Props {
  texts: readonly string[];
  vectors: readonly (readonly number[])[];
}

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = 40;
const LONGEST = 28;

/** Brings values to places between `low` and `high`; all alike to the middle. */
function spread(values: readonly number[], low: number, high: number): number[] {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return values.map((value) =>
    most === least ? (low + high) / 2 : low + ((value - least) / (most - least)) * (high - low),
  );
}

/** Texts as points; near ones mean something alike. */
export function Plot({ texts, vectors }: Props): ReactElement {
  const { t } = useTranslation();
  const places = project(vectors);
  const across = spread(places.map(({ x }) => x), MARGIN, WIDTH - 4 * MARGIN); // prettier-ignore
  const down = spread(places.map(({ y }) => y), HEIGHT - MARGIN, MARGIN); // prettier-ignore
  return (
    <svg className={classes.plot} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t("vectors.plot")}>
      {texts.map((text, index) => (
        <g key={index} data-point={index}>
          <circle cx={across[index]} cy={down[index]} r={5} />
          <text x={(across[index] ?? 0) + 9} y={(down[index] ?? 0) + 4}>
            {text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}
          </text>
        </g>
      ))}
    </svg>
  );
}
