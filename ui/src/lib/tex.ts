/** Code is never a formula. */
const CODE = /(```[\s\S]*?(?:```|$)|`[^`\n]*`)/;
/** Pandoc's rule: no space inside the dollars, no digit behind them; so that prices stay prices. */
const DOLLARS = /(?<![\\$\w])\$(?![\s$])([^$\n]*?[^\s\\$])\$(?![\d$])/g;

const block = (tex: string): string => `\n$$\n${tex.trim()}\n$$\n`;

function converted(text: string): string {
  return text
    .replace(/\\\[([\s\S]+?)\\\]/g, (_, tex: string) => block(tex))
    .replace(/\\\((.+?)\\\)/g, (_, tex: string) => `$$${tex}$$`)
    .replace(/^[ \t]*\$\$([^$\n]+)\$\$[ \t]*$/gm, (_, tex: string) => block(tex))
    .replace(DOLLARS, (_, tex: string) => `$$${tex}$$`);
}

/** Markdown with its formulas between double dollars, however they were marked: `\(…\)`, `\[…\]`, `$…$`. */
export const withDoubleDollars = (markdown: string): string =>
  markdown
    .split(CODE)
    .map((part, index) => (index % 2 ? part : converted(part)))
    .join("");
