import { Group, Select, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { PhaseBadge } from "@/components/PhaseBadge";

const route = getRouteApi("/playground");

interface Props {
  model: DeploymentView;
  models: readonly DeploymentView[];
}

/** The model to ask, at the top right; kept in the address. */
export function ModelSelect({ model, models }: Props): ReactElement {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const phases = new Map(models.map((candidate) => [candidate.name, candidate.phase]));
  return (
    <Select
      w={240}
      aria-label={t("playground.model")}
      data={models.map((candidate) => candidate.name)}
      value={model.name}
      allowDeselect={false}
      searchable={models.length > 8}
      renderOption={({ option }) => (
        <Group justify="space-between" wrap="nowrap" flex={1} gap="xs">
          <Text size="sm" truncate>
            {option.label}
          </Text>
          <PhaseBadge phase={phases.get(option.value) ?? "pending"} />
        </Group>
      )}
      onChange={(name) => {
        if (name !== null) void navigate({ search: ({ chat: _chat, ...rest }) => ({ ...rest, model: name }) });
      }}
    />
  );
}
