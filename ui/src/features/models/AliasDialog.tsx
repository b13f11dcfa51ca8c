import { ActionIcon, Button, Group, Modal, NumberInput, Select, Stack, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { AliasTarget, AliasView } from "@/api/generated/types.gen";
import { aliasesQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { validName } from "./spec";

interface Props {
  alias: AliasView | undefined;
  names: readonly string[];
  onClose: () => void;
}

interface TargetsProps {
  targets: readonly AliasTarget[];
  names: readonly string[];
  onChange: (targets: AliasTarget[]) => void;
}

function Targets({ targets, names, onChange }: TargetsProps): ReactElement {
  const { t } = useTranslation();
  const free = names.filter((name) => !targets.some(({ deployment }) => deployment === name));
  const change = (place: number, target: AliasTarget): void => {
    onChange(targets.map((old, index) => (index === place ? target : old)));
  };
  return (
    <Stack gap="xs">
      {targets.map(({ deployment, weight = 1 }, place) => (
        <Group key={deployment} wrap="nowrap" align="flex-end">
          <Select
            flex={1}
            label={place === 0 ? t("aliases.target") : undefined}
            aria-label={t("aliases.target")}
            data={[deployment, ...free]}
            value={deployment}
            allowDeselect={false}
            onChange={(name) => {
              if (name !== null) change(place, { deployment: name, weight });
            }}
          />
          <NumberInput
            w={110}
            label={place === 0 ? t("aliases.weight") : undefined}
            aria-label={t("aliases.weight")}
            min={1}
            max={1000}
            allowDecimal={false}
            value={weight}
            onChange={(value) => {
              change(place, { deployment, weight: Number(value) });
            }}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            size="input-sm"
            disabled={targets.length === 1}
            aria-label={`${t("common.remove")}: ${deployment}`}
            onClick={() => {
              onChange(targets.filter((_, index) => index !== place));
            }}
          >
            <IconX size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Group>
        <Button
          variant="subtle"
          size="xs"
          leftSection={<IconPlus size={14} />}
          disabled={free.length === 0}
          onClick={() => {
            onChange([...targets, { deployment: free[0] ?? "", weight: 1 }]);
          }}
        >
          {t("aliases.addTarget")}
        </Button>
      </Group>
    </Stack>
  );
}

interface FallbackProps {
  value: string | null;
  names: readonly string[];
  onChange: (name: string | null) => void;
}

function Fallback({ value, names, onChange }: FallbackProps): ReactElement {
  const { t } = useTranslation();
  return (
    <Select
      label={t("aliases.fallback")}
      description={t("aliases.fallbackHint")}
      placeholder={t("aliases.none")}
      clearable
      data={[...names]}
      value={value !== null && names.includes(value) ? value : null}
      onChange={onChange}
    />
  );
}

/** Makes an alias, or has it lead elsewhere. */
export function AliasDialog({ alias, names, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [name, setName] = useState(alias?.name ?? "");
  const [targets, setTargets] = useState<AliasTarget[]>(
    alias?.targets ?? names.slice(0, 1).map((deployment) => ({ deployment, weight: 1 })),
  );
  const [fallback, setFallback] = useState(alias?.fallback ?? null);
  const save = useMutation({
    mutationFn: () => api.putAlias(name, { targets, fallback }),
    onSuccess: async () => {
      await queries.invalidateQueries(aliasesQuery);
      onClose();
    },
  });
  const spare = names.filter((one) => !targets.some(({ deployment }) => deployment === one));
  return (
    <Modal
      opened
      onClose={onClose}
      title={alias ? t("aliases.editTitle", { name: alias.name }) : t("aliases.new")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          <TextInput
            label={t("common.name")}
            description={t("aliases.nameHint")}
            required
            data-autofocus
            disabled={alias !== undefined}
            error={name !== "" && !validName(name) && t("deploy.nameInvalid")}
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value);
            }}
          />
          <Targets targets={targets} names={names} onChange={setTargets} />
          <Fallback value={fallback} names={spare} onChange={setFallback} />
          {save.error && <ErrorAlert error={save.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={save.isPending} disabled={!validName(name) || targets.length === 0}>
              {t("common.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
