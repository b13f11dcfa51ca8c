import { SegmentedControl } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Span } from "@/api/generated/types.gen";
import { SPANS } from "@/api/overview";

/** The last hour or the last day. */
export function SpanSwitch({ span, onChange }: { span: Span; onChange: (span: Span) => void }): ReactElement {
  const { t } = useTranslation();
  return (
    <SegmentedControl
      size="xs"
      aria-label={t("chart.span")}
      data={SPANS.map((value) => ({ value, label: t(`chart.${value}`) }))}
      value={span}
      onChange={onChange}
    />
  );
}
