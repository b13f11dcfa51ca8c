import { Badge, List, Stack, Text, Tooltip } from "@mantine/core";
import { IconEye, IconEyeOff } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Sight } from "@/api/generated/types.gen";

const COLOURS = { passed: "teal", content_wrong: "orange", failed: "red" } as const;

/** What the pictures proved that a model was asked about at its start. */
export function SightBadge({ sight }: { sight: Sight }): ReactElement {
  const { t } = useTranslation();
  const Icon = sight.outcome === "passed" ? IconEye : IconEyeOff;
  return (
    <Tooltip label={t(`sight.hint.${sight.outcome}`)} multiline maw={320}>
      <Badge
        size="sm"
        variant="light"
        tt="none"
        color={COLOURS[sight.outcome]}
        leftSection={<Icon size={12} aria-hidden />}
        data-sight={sight.outcome}
      >
        {t(`sight.outcome.${sight.outcome}`)}
      </Badge>
    </Tooltip>
  );
}

/** Each picture of the start, and what was said of it. */
export function SightChecks({ sight }: { sight: Sight }): ReactElement | null {
  const { t } = useTranslation();
  if (sight.checks.length === 0) return null;
  return (
    <Stack gap={4} component="section" aria-label={t("sight.title")}>
      <Text size="sm" fw={600}>
        {t("sight.title")}
      </Text>
      <List size="sm" spacing={2} listStyleType="none" withPadding={false}>
        {sight.checks.map((check) => (
          <List.Item key={check.kind} data-check={check.kind} data-right={check.right}>
            <Text size="sm" component="span" c={check.right ? "teal" : "orange"} fw={600}>
              {check.right ? "✓ " : "✗ "}
            </Text>
            {t(`sight.shown.${check.kind}`, { shown: t(`sight.word.${check.shown}`, { defaultValue: check.shown }) })}{" "}
            <Text size="sm" component="span" c="dimmed">
              {check.answer ? t("sight.answer", { answer: check.answer }) : t("sight.nothing")}
            </Text>
          </List.Item>
        ))}
      </List>
    </Stack>
  );
}
