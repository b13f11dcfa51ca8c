import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use as register } from "echarts/core";
import type { ECharts } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import type { ReactElement } from "react";
import { useEffect, useRef } from "react";
import type { ChartLook, Series } from "./options";
import { optionsOf } from "./options";

register([BarChart, LineChart, GridComponent, TooltipComponent, CanvasRenderer]);

interface Props {
  label: string;
  series: readonly Series[];
  look: ChartLook;
  height: number;
}

/** The drawing itself. Loaded only where a chart is shown: the library is larger than the rest of the page. */
export function Canvas({ label, series, look, height }: Props): ReactElement {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const made = init(element, null, { renderer: "canvas" });
    chart.current = made;
    const observer = new ResizeObserver(() => {
      made.resize();
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    chart.current?.setOption(optionsOf(series, look), { notMerge: true });
  }, [series, look]);
  return <div ref={frame} role="img" aria-label={label} style={{ height, width: "100%" }} />;
}
