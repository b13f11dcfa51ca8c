import { ActionIcon, Alert, Button, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { IconPencil, IconPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { AliasView } from "@/api/generated/types.gen";
import { aliasesQuery } from "@/api/queries";
import { AliasDialog } from "./AliasDialog";
import { shares } from "./aliases";

interface RowProps {
  alias: AliasView;
  onEdit: () => void;
}

function AliasRow({ alias, onEdit }: RowProps): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => api.deleteAlias(alias.name),
    onSuccess: () => queries.invalidateQueries(aliasesQuery),
  });
  const leads = [shares(alias), alias.fallback && t("aliases.fallbackTo", { name: alias.fallback })];
  return (
    <Paper component="article" p="sm" aria-label={alias.name} data-alias={alias.name}>
      <Group justify="space-between" wrap="nowrap">
        <Stack gap={2}>
          <Text fw={600}>{alias.name}</Text>
          <Text size="sm" c="dimmed">
            {leads.filter(Boolean).join(" · ")}
          </Text>
        </Stack>
        <Group gap="xs" wrap="nowrap">
          <ActionIcon variant="subtle" color="gray" aria-label={`${t("aliases.edit")}: ${alias.name}`} onClick={onEdit}>
            <IconPencil size={18} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="red"
            aria-label={`${t("common.delete")}: ${alias.name}`}
            loading={remove.isPending}
            onClick={() => {
              remove.mutate();
            }}
          >
            <IconTrash size={18} />
          </ActionIcon>
        </Group>
      </Group>
      {alias.missing.length > 0 && (
        <Alert color="orange" p="xs" mt="xs">
          {t("aliases.missing", { names: alias.missing.join(", ") })}
        </Alert>
      )}
    </Paper>
  );
}

/** Further names for models. `names`: of the deployments that there are. */
export function Aliases({ names }: { names: readonly string[] }): ReactElement {
  const { t } = useTranslation();
  const { data: aliases = [] } = useQuery(aliasesQuery);
  const [edited, setEdited] = useState<AliasView | "new" | null>(null);
  return (
    <Stack component="section" gap="sm" mt="xl" aria-label={t("aliases.title")}>
      <Group justify="space-between">
        <Title order={2} size="h4">
          {t("aliases.title")}
        </Title>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconPlus size={16} />}
          onClick={() => {
            setEdited("new");
          }}
        >
          {t("aliases.new")}
        </Button>
      </Group>
      {aliases.length === 0 && (
        <Text size="sm" c="dimmed">
          {t("aliases.hint")}
        </Text>
      )}
      {aliases.map((alias) => (
        <AliasRow
          key={alias.name}
          alias={alias}
          onEdit={() => {
            setEdited(alias);
          }}
        />
      ))}
      {edited && (
        <AliasDialog
          alias={edited === "new" ? undefined : edited}
          names={names}
          onClose={() => {
            setEdited(null);
          }}
        />
      )}
    </Stack>
  );
}
