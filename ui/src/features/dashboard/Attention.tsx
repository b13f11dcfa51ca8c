import { Anchor, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { AttentionView } from "@/api/generated/types.gen";
import { Reasons } from "@/components/Reasons";

function Way({ about, name }: AttentionView): ReactElement {
  const { t } = useTranslation();
  if (about === "node") {
    return (
      <Anchor fw={600} size="sm" renderRoot={(props) => <Link to="/nodes" {...props} />}>
        {t("dashboard.ofNode", { name })}
      </Anchor>
    );
  }
  return (
    <Anchor fw={600} size="sm" renderRoot={(props) => <Link to="/models" search={{ open: name }} {...props} />}>
      {t("dashboard.ofModel", { name })}
    </Anchor>
  );
}

/** What a person should look at, each with what to do. */
export function Attention({ items }: { items: readonly AttentionView[] }): ReactElement {
  const { t } = useTranslation();
  return (
    <Paper p="md" component="section" aria-label={t("dashboard.attention")}>
      <Title order={2} size="h5" mb="sm">
        {t("dashboard.attention")}
      </Title>
      {items.length === 0 && (
        <Group gap="xs" wrap="nowrap">
          <IconCircleCheck size={18} color="var(--mantine-color-teal-6)" aria-hidden />
          <Text size="sm">{t("dashboard.calm")}</Text>
        </Group>
      )}
      <Stack gap="sm">
        {items.map((item) => (
          <div key={`${item.about} ${item.name}`} data-attention={item.name}>
            <Way {...item} />
            <Reasons reasons={item.reasons} failed />
          </div>
        ))}
      </Stack>
    </Paper>
  );
}
