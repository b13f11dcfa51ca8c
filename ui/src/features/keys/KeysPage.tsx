import { ActionIcon, Badge, Button, Code, Container, Group, Loader, Paper, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconPencil, IconPlayerPause, IconPlayerPlay, IconPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { KeyView } from "@/api/generated/types.gen";
import { keysQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { currentLanguage } from "@/i18n";
import { formatTime } from "@/lib/format";
import { LIMITS } from "@/lib/limits";
import { DeleteKeyDialog } from "./DeleteKeyDialog";
import { CreateKeyDialog, EditKeyDialog } from "./KeyDialogs";

const route = getRouteApi("/keys");

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

function Restrictions({ apiKey }: { apiKey: KeyView }): ReactElement | null {
  const { t } = useTranslation();
  const count = (value: number): string => new Intl.NumberFormat(currentLanguage()).format(value);
  const words = LIMITS.flatMap((limit) => {
    const value = apiKey.limits[limit];
    if (value === null) return [];
    if (limit === "tokens_per_month")
      return [t("keys.monthUsed", { used: count(apiKey.tokens_this_month), limit: count(value) })];
    return [`${t(`keys.limit.${limit}`)}: ${count(value)}`];
  });
  if (apiKey.models) words.push(`${t("keys.models")}: ${apiKey.models.join(", ")}`);
  if (apiKey.networks) words.push(`${t("keys.networks")}: ${apiKey.networks.join(", ")}`);
  return words.length === 0 ? null : <Text size="sm">{words.join(" · ")}</Text>;
}

interface CardProps {
  apiKey: KeyView;
  onEdit: () => void;
  onDelete: () => void;
}

function KeyCard({ apiKey, onEdit, onDelete }: CardProps): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const facts = useKeyFacts(apiKey);
  const toggle = useMutation({
    mutationFn: () => api.editKey(apiKey.id, { disabled: !apiKey.disabled }),
    onSuccess: () => queries.invalidateQueries(keysQuery),
  });
  const named = (what: string): string => `${what}: ${apiKey.name}`;
  const word = apiKey.disabled ? t("keys.enable") : t("keys.disable");
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
            {apiKey.disabled && (
              <Badge color="gray" tt="none">
                {t("keys.disabled")}
              </Badge>
            )}
          </Group>
          <Restrictions apiKey={apiKey} />
          <Text size="sm" c="dimmed">
            {facts}
          </Text>
        </Stack>
        <Group gap={4} wrap="nowrap">
          <ActionIcon
            variant="subtle"
            aria-label={named(word)}
            title={word}
            loading={toggle.isPending}
            onClick={() => {
              toggle.mutate();
            }}
          >
            {apiKey.disabled ? <IconPlayerPlay size={18} /> : <IconPlayerPause size={18} />}
          </ActionIcon>
          <ActionIcon variant="subtle" aria-label={named(t("keys.edit"))} title={t("keys.edit")} onClick={onEdit}>
            <IconPencil size={18} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="red"
            aria-label={named(t("common.delete"))}
            title={t("common.delete")}
            onClick={onDelete}
          >
            <IconTrash size={18} />
          </ActionIcon>
        </Group>
      </Group>
    </Paper>
  );
}

/** The keys that programs use. */
export function KeysPage(): ReactElement {
  const { t } = useTranslation();
  const keys = useQuery(keysQuery);
  const { create: model } = route.useSearch();
  const navigate = route.useNavigate();
  const [creating, create] = useDisclosure(model !== undefined);
  const [deleted, setDeleted] = useState<KeyView | null>(null);
  const [edited, setEdited] = useState<KeyView | null>(null);
  const items = keys.data ?? [];
  const button = (
    <Button leftSection={<IconPlus size={16} />} onClick={create.open}>
      {t("keys.create")}
    </Button>
  );
  return (
    <Container size="lg" py="lg">
      <Group justify="space-between" mb={4}>
        <Title order={1} size="h2">
          {t("keys.title")}
        </Title>
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
            onEdit={() => {
              setEdited(key);
            }}
            onDelete={() => {
              setDeleted(key);
            }}
          />
        ))}
      </Stack>
      {creating && (
        <CreateKeyDialog
          model={model}
          onClose={() => {
            create.close();
            void navigate({ search: {}, replace: true });
          }}
        />
      )}
      {edited && (
        <EditKeyDialog
          apiKey={edited}
          onClose={() => {
            setEdited(null);
          }}
        />
      )}
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
