import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ImageTokensView } from "@/api/generated/types.gen";

interface Props {
  tokens: ReadonlyMap<string, ImageTokensView>;
  /** Tokens that the model's context holds, where that is known. */
  context: number | null;
}

/** What all the pictures together take of the context. */
export function ContextNote({ tokens, context }: Props): ReactElement | null {
  const { t } = useTranslation();
  const counts = [...tokens.values()].flatMap((one) => (one.tokens === null ? [] : [one.tokens]));
  if (counts.length === 0) return null;
  const count = counts.reduce((sum, one) => sum + one, 0);
  return (
    <>
      {context === null ? t("playground.imageTokens", { count }) : t("playground.ofContext", { count, whole: context })}
    </>
  );
}
