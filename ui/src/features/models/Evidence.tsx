import { Code, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

/** Lines of the engine's log that show why it failed. */
export function Evidence({ lines }: { lines: readonly string[] }): ReactElement | null {
  const { t } = useTranslation();
  if (lines.length === 0) return null;
  return (
    <Stack gap={4} component="section" aria-label={t("doctor.evidence")}>
      <Text size="xs" c="dimmed">
        {t("doctor.evidence")}
      </Text>
      <Code block data-evidence fz="xs" mah={200}>
        {lines.join("\n")}
      </Code>
    </Stack>
  );
}
