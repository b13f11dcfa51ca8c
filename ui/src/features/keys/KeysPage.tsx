import { ActionIcon, Badge, Button, Code, Container, Group, Loader, Paper, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPlus, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { KeyView } from "@/api/generated/types.gen";
import { keysQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { currentLanguage } from "@/i18n";
import { formatTime } from "@/lib/format";
import { CreateKeyDialog } from "./CreateKeyDialog";
import { DeleteKeyDialog } from "./DeleteKeyDialog";

function useKeyFacts(key: KeyView): string {
  const { t } = useTranslation();
  const time = (at: number | null): string => (at === null ? t("keys.never") : formatTime(at, currentLanguage()));
  return [
    key.owner,
    `${t("keys.created")}: ${time(key.created_at)}`,
    `${t("keys.expires")}: ${time(key.expires_at)}`,
    `${t("keys.lastUsed")}: ${time(key.last_used_at)}`,
  ].join(" · ");
}

function KeyCard({ apiKey, onDelete }: { apiKey: KeyView; onDelete: () => void }): ReactElement {
  const { t } = useTranslation();
  const facts = useKeyFacts(apiKey);
  return (
    <Paper p="md" component="article" aria-label={apiKey.name}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Stack gap={4}>
          <Group gap="xs">
            <Text fw={600}>{apiKey.name}</Text>
            <Code>{`sk-${apiKey.id}-…`}</Code>
            {apiKey.scopes.map((scope) => (
              <Badge key={scope} variant="light" tt="none">
                {t(`keys.scope.${scope}`)}
              </Badge>
            ))}
          </Group>
          <Text size="sm" c="dimmed">
            {facts}
          </Text>
        </Stack>
        <ActionIcon
          variant="subtle"
          color="red"
          aria-label={`${t("common.delete")}: ${apiKey.name}`}
          onClick={onDelete}
        >
          <IconTrash size={18} />
        </ActionIcon>
      </Group>
    </Paper>
  );
}

/** The keys that programs use. */
export function KeysPage(): ReactElement {
  const { t } = useTranslation();
  const keys = useQuery(keysQuery);
  const [creating, create] = useDisclosure(false);
  const [deleted, setDeleted] = useState<KeyView | null>(null);
  const items = keys.data ?? [];
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={create.open}>
      {t("keys.create")}
    </Button>
  );
  return (
    <Container size="lg" py="lg">
      <Group justify="space-between" mb={4}>
        <Title order={2}>{t("keys.title")}</Title>
        {items.length > 0 && button}
      </Group>
      <Text size="sm" c="dimmed" mb="md">
        {t("keys.usage", { url: `${window.location.origin}/v1` })}
      </Text>
      {keys.isPending && <Loader aria-label={t("common.loading")} />}
      {keys.error && !keys.data && <ErrorAlert error={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.isSuccess && items.length === 0 && (
        <EmptyState icon={<IconKey size={32} />} title={t("keys.emptyTitle")} hint={t("keys.emptyHint")}>
          {button}
        </EmptyState>
      )}
      <Stack gap="sm">
        {items.map((key) => (
          <KeyCard
            key={key.id}
            apiKey={key}
            onDelete={() => {
              setDeleted(key);
            }}
          />
        ))}
      </Stack>
      {creating && <CreateKeyDialog onClose={create.close} />}
      {deleted && (
        <DeleteKeyDialog
          apiKey={deleted}
          onClose={() => {
            setDeleted(null);
          }}
        />
      )}
    </Container>
  );
}
