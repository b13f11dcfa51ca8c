import { Text } from "@mantine/core";
import type { ReactElement } from "react";
import { lazy, Suspense } from "react";

/** Markdown is a third of this page and is not needed before the first answer: loaded when the page is there, so that it
 * is at hand even if the management server is not by then. */
export const loadMarkdown = () => import("@/components/Markdown").then(({ Markdown: found }) => ({ default: found }));

const Markdown = lazy(loadMarkdown);

/** What a model wrote: as Markdown, as plain text until that is there. */
export function AnswerText({ text }: { text: string }): ReactElement {
  const plain = (
    <Text component="div" data-plain>
      {text}
    </Text>
  );
  return (
    <Suspense fallback={plain}>
      <Markdown text={text} math />
    </Suspense>
  );
}
