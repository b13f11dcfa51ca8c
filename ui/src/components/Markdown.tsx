import { Anchor, Code, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Components } from "react-markdown";
import ReactMarkdown, { defaultUrlTransform } from "react-markdown";
import remarkGfm from "remark-gfm";
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
  code: ({ children }) => <Code>{children}</Code>,
  pre: ({ children }) => <pre className={classes.pre}>{children}</pre>,
};

interface Props {
  text: string;
  /** The address that relative links start from; without it they are as written. */
  base?: string;
  /** HTML is left out instead of shown as text. */
  withoutHtml?: boolean;
}

/** A stranger's text: HTML is never HTML; links with a script are plain text; remote pictures stay unloaded. */
export function Markdown({ text, base, withoutHtml = false }: Props): ReactElement {
  const transform = (url: string): string => {
    const safe = defaultUrlTransform(url);
    return safe && base && URL.canParse(safe, base) ? new URL(safe, base).href : safe;
  };
  return (
    <div className={classes.markdown}>
      <ReactMarkdown
        remarkPlugins={[remarkGfm]}
        components={COMPONENTS}
        urlTransform={transform}
        skipHtml={withoutHtml}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
}
