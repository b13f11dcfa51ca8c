import "katex/dist/katex.min.css";
import katex from "katex";

/** Draws a formula into an element, node by node: the page's policy lets no script write styles as text. */
export function drawFormula(tex: string, place: HTMLElement, display: boolean): void {
  katex.render(tex, place, { displayMode: display, throwOnError: false, trust: false, maxSize: 20, maxExpand: 500 });
}
