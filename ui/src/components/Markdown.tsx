import { Anchor, Code, Text } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { isValidElement, memo } from "react";
import { useTranslation } from "react-i18next";
import type { Components, Options } from "react-markdown";
import ReactMarkdown, { defaultUrlTransform } from "react-markdown";
import remarkGfm from "remark-gfm";
import remarkMath from "remark-math";
import { withDoubleDollars } from "@/lib/tex";
import { CodeBlock } from "./CodeBlock";
import { Formula } from "./Formula";
import classes from "./Markdown.module.css";

/** A picture in an answer could carry what was asked to a stranger's server in its address: it is never loaded. */
function Picture({ alt }: { alt?: string | undefined }): ReactElement {
  const { t } = useTranslation();
  return (
    <Text span size="sm" c="dimmed" fs="italic">
      [{t("common.imageNotLoaded", { alt: alt ?? "" })}]
    </Text>
  );
}

/** The text of a code block, and the words of its fence: `language-python`, `language-math`. */
function fenced(children: ReactNode): { text: string; words: string } {
  if (!isValidElement<{ children?: ReactNode; className?: string }>(children)) return { text: "", words: "" };
  const { children: text, className } = children.props;
  return { text: typeof text === "string" ? text : "", words: className ?? "" };
}

function Block({ children }: { children?: ReactNode }): ReactElement {
  const { text, words } = fenced(children);
  if (words.includes("math-display")) return <Formula tex={text} display />;
  return <CodeBlock text={text} {...labelled(/language-(\S+)/.exec(words)?.[1])} />;
}

const labelled = (label: string | undefined) => (label ? { label } : {});

const COMPONENTS: Components = {
  img: ({ alt }) => <Picture alt={alt} />,
  a: ({ href, children }) =>
    href ? (
      <Anchor href={href} target="_blank" rel="noopener noreferrer nofollow" title={href}>
        {children}
      </Anchor>
    ) : (
      <>{children}</>
    ),
  code: ({ children, className }) =>
    className?.includes("math-inline") && typeof children === "string" ? (
      <Formula tex={children} display={false} />
    ) : (
      <Code>{children}</Code>
    ),
  pre: Block,
  table: ({ children }) => (
    <div className={classes.wide} tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
};

interface Props {
  text: string;
  /** The address that relative links start from; without it they are as written. */
  base?: string;
  /** HTML is left out instead of shown as text. */
  withoutHtml?: boolean;
  /** Formulas are drawn. */
  math?: boolean;
}

const PLAIN = [remarkGfm];
const WITH_MATH: NonNullable<Options["remarkPlugins"]> = [remarkGfm, [remarkMath, { singleDollarTextMath: false }]];

/** A stranger's text: HTML is never HTML; links with a script are plain text; remote pictures stay unloaded. */
export const Markdown = memo(function Markdown({ text, base, withoutHtml = false, math = false }: Props): ReactElement {
  const transform = (url: string): string => {
    const safe = defaultUrlTransform(url);
    return safe && base && URL.canParse(safe, base) ? new URL(safe, base).href : safe;
  };
  return (
    <div className={classes.markdown}>
      <ReactMarkdown
        remarkPlugins={math ? WITH_MATH : PLAIN}
        components={COMPONENTS}
        urlTransform={transform}
        skipHtml={withoutHtml}
      >
        {math ? withDoubleDollars(text) : text}
      </ReactMarkdown>
    </div>
  );
});
