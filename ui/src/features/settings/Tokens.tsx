import { Badge, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { TokenView } from "@/api/generated/types.gen";
import type { Hub } from "@/api/hub";
import { currentLanguage } from "@/i18n";
import { formatTime } from "@/lib/format";
import { HUB_NAMES } from "@/lib/hubs";
import { RemoveToken } from "./RemoveToken";
import { TokenDialog } from "./TokenDialog";

interface RowProps {
  token: TokenView;
  onStore: () => void;
  onRemove: () => void;
}

function Row({ token, onStore, onRemove }: RowProps): ReactElement {
  const { t } = useTranslation();
  const { hub, present, hint, origin, updated_at: at } = token;
  const facts = present
    ? [
        t("settings.tokenShown", { hint }),
        at !== null && formatTime(at, currentLanguage()),
        origin === "start" && t("settings.tokenStart"),
      ]
    : [t("settings.tokenEmpty")];
  return (
    <Group justify="space-between" component="article" aria-label={HUB_NAMES[hub]} data-hub={hub}>
      <Stack gap={2} flex="1 1 260px">
        <Group gap="xs">
          <Text fw={600}>{HUB_NAMES[hub]}</Text>
          {present && origin && (
            <Badge size="sm" variant="light" color="gray" tt="none">
              {t(`settings.origin.${origin}`)}
            </Badge>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {facts.filter(Boolean).join(" · ")}
        </Text>
      </Stack>
      <Group gap="xs">
        <Button
          size="xs"
          variant="default"
          onClick={onStore}
          aria-label={`${present ? t("settings.replace") : t("settings.store")}: ${HUB_NAMES[hub]}`}
        >
          {present ? t("settings.replace") : t("settings.store")}
        </Button>
        {present && (
          <Button
            size="xs"
            variant="light"
            color="red"
            onClick={onRemove}
            aria-label={`${t("common.remove")}: ${HUB_NAMES[hub]}`}
          >
            {t("common.remove")}
          </Button>
        )}
      </Group>
    </Group>
  );
}

/** The tokens with which hubs know us. They go in and never come out. */
export function Tokens({ tokens }: { tokens: readonly TokenView[] }): ReactElement {
  const { t } = useTranslation();
  const [storing, setStoring] = useState<Hub | null>(null);
  const [removing, setRemoving] = useState<Hub | null>(null);
  return (
    <Paper p="md" component="section" aria-label={t("settings.tokens")}>
      <Stack>
        <Title order={3} size="h4">
          {t("settings.tokens")}
        </Title>
        {tokens.map((token) => (
          <Row
            key={token.hub}
            token={token}
            onStore={() => {
              setStoring(token.hub);
            }}
            onRemove={() => {
              setRemoving(token.hub);
            }}
          />
        ))}
      </Stack>
      {storing && (
        <TokenDialog
          hub={storing}
          onClose={() => {
            setStoring(null);
          }}
        />
      )}
      {removing && (
        <RemoveToken
          hub={removing}
          onClose={() => {
            setRemoving(null);
          }}
        />
      )}
    </Paper>
  );
}
