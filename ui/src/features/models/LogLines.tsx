import { Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { pieces, windowOf } from "./log";
import classes from "./LogViewer.module.css";

/** As the style sheet has it: lines do not wrap, so that their place is known without measuring them. */
const LINE_PX = 18;
/** Within this distance of the end a reader means to follow. */
const NEAR_END_PX = 24;

interface Props {
  label: string;
  lines: readonly string[];
  word: string;
  /** The line to show; null: none in particular. */
  shown: number | null;
  follow: boolean;
  onFollow: (follow: boolean) => void;
}

/** The lines of a log. Only those in sight are in the page, so a hundred thousand scroll like ten. */
export function LogLines({ label, lines, word, shown, follow, onFollow }: Props): ReactElement {
  const { t } = useTranslation();
  const frame = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 0 });
  const look = (): void => {
    const element = frame.current;
    if (element) setSeen({ top: element.scrollTop, height: element.clientHeight });
  };
  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => {
      setSeen({ top: element.scrollTop, height: element.clientHeight });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
    };
  }, []);
  useLayoutEffect(() => {
    const element = frame.current;
    if (follow && element) element.scrollTop = element.scrollHeight;
  }, [lines, follow]);
  useLayoutEffect(() => {
    const element = frame.current;
    if (shown !== null && element) element.scrollTop = shown * LINE_PX - element.clientHeight / 2;
  }, [shown]);
  const scrolled = (): void => {
    look();
    const element = frame.current;
    const atEnd = element && element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
    if (atEnd !== follow) onFollow(atEnd ?? true);
  };
  const { from, to } = windowOf(seen.top, seen.height, LINE_PX, lines.length);
  return (
    <div ref={frame} className={classes.log} tabIndex={0} role="log" aria-label={label} onScroll={scrolled}>
      {lines.length === 0 && <Text size="xs">{t("log.empty")}</Text>}
      <div className={classes.whole} style={{ height: lines.length * LINE_PX }}>
        <div style={{ transform: `translateY(${from * LINE_PX}px)` }}>
          {lines.slice(from, to).map((line, index) => (
            <div key={from + index} className={classes.line} data-found={from + index === shown || undefined}>
              {pieces(line, word).map(({ text, matches }, piece) => (matches ? <mark key={piece}>{text}</mark> : text))}
              {"\n"}
            </div>
          ))}
        </div>
      </div>
    </div>
  );
}
