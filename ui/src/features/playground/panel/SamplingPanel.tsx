import { Button, Group, NumberInput, SegmentedControl, Stack, Switch, TagsInput, Textarea, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Sampling } from "../sampling";
import { PRESET_NAMES, presetOf, PRESETS, schemaOf, toolsOf } from "../sampling";
import { JsonField } from "./JsonField";

interface Props {
  sampling: Sampling;
  /** What this model starts with. */
  usual: Sampling;
  onSampling: (sampling: Sampling) => void;
}

const clamp = (value: string | number, low: number, high: number): number =>
  Math.min(high, Math.max(low, Number(value) || low));

interface PartProps {
  sampling: Sampling;
  set: (change: Partial<Sampling>) => void;
}

function Chance({ sampling, set }: PartProps): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <SegmentedControl
        size="xs"
        fullWidth
        aria-label={t("playground.preset")}
        data={PRESET_NAMES.map((name) => ({ value: name, label: t(`playground.presets.${name}`) }))}
        value={presetOf(sampling) ?? ""}
        onChange={(value) => {
          const name = PRESET_NAMES.find((preset) => preset === value);
          if (name) set(PRESETS[name]);
        }}
      />
      <NumberInput
        label={t("playground.temperature")}
        description={t("playground.temperatureHint")}
        min={0}
        max={2}
        step={0.1}
        decimalScale={2}
        value={sampling.temperature}
        onChange={(value) => {
          set({ temperature: clamp(value, 0, 2) });
        }}
      />
      <NumberInput
        label={t("playground.topP")}
        description={t("playground.topPHint")}
        min={0.01}
        max={1}
        step={0.05}
        decimalScale={2}
        value={sampling.topP}
        onChange={(value) => {
          set({ topP: clamp(value, 0.01, 1) });
        }}
      />
    </>
  );
}

function Length({ sampling, set }: PartProps): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <NumberInput
        label={t("playground.maxTokens")}
        description={t("playground.maxTokensHint")}
        min={1}
        max={131072}
        step={64}
        allowDecimal={false}
        value={sampling.maxTokens}
        onChange={(value) => {
          set({ maxTokens: clamp(value, 1, 131072) });
        }}
      />
      <TagsInput
        label={t("playground.stopWords")}
        description={t("playground.stopWordsHint")}
        maxTags={4}
        value={sampling.stop}
        onChange={(stop) => {
          set({ stop });
        }}
      />
      <NumberInput
        label={t("playground.seed")}
        description={t("playground.seedHint")}
        min={0}
        max={2 ** 31 - 1}
        allowDecimal={false}
        value={sampling.seed ?? ""}
        onChange={(value) => {
          set({ seed: value === "" ? null : clamp(value, 0, 2 ** 31 - 1) });
        }}
      />
    </>
  );
}

function Penalties({ sampling, set }: PartProps): ReactElement {
  const { t } = useTranslation();
  return (
    <Group grow align="end">
      {(["presencePenalty", "frequencyPenalty"] as const).map((name) => (
        <NumberInput
          key={name}
          label={t(`playground.${name}`)}
          min={-2}
          max={2}
          step={0.1}
          decimalScale={2}
          value={sampling[name]}
          onChange={(value) => {
            set({ [name]: clamp(value, -2, 2) });
          }}
        />
      ))}
    </Group>
  );
}

function Shape({ sampling, set }: PartProps): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <JsonField
        label={t("playground.schema")}
        description={t("playground.schemaHint")}
        placeholder={'{ "type": "object", … }'}
        error={schemaOf(sampling) === undefined ? t("playground.schemaWrong") : ""}
        value={sampling.schema}
        onChange={(schema) => {
          set({ schema });
        }}
      />
      <JsonField
        label={t("playground.tools")}
        description={t("playground.toolsHint")}
        placeholder={'[{ "name": "…", "parameters": { … } }]'}
        error={toolsOf(sampling) === undefined ? t("playground.toolsWrong") : ""}
        value={sampling.tools}
        onChange={(tools) => {
          set({ tools });
        }}
      />
      {(["memory", "specialTokens"] as const).map((name) => (
        <Switch
          key={name}
          label={t(`playground.${name}`)}
          description={t(`playground.${name}Hint`)}
          checked={sampling[name]}
          onChange={(event) => {
            set({ [name]: event.currentTarget.checked });
          }}
        />
      ))}
    </>
  );
}

/** How the model is asked: instructions, chance, length, form of the answer. */
export function SamplingPanel({ sampling, usual, onSampling }: Props): ReactElement {
  const { t } = useTranslation();
  const set = (change: Partial<Sampling>): void => {
    onSampling({ ...sampling, ...change });
  };
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={4}>{t("playground.parameters")}</Title>
        <Button
          size="compact-xs"
          variant="default"
          onClick={() => {
            onSampling(usual);
          }}
        >
          {t("playground.reset")}
        </Button>
      </Group>
      <Textarea
        label={t("playground.system")}
        autosize
        minRows={2}
        maxRows={8}
        value={sampling.system}
        onChange={(event) => {
          set({ system: event.currentTarget.value });
        }}
      />
      <Chance sampling={sampling} set={set} />
      <Length sampling={sampling} set={set} />
      <Penalties sampling={sampling} set={set} />
      <Shape sampling={sampling} set={set} />
    </Stack>
  );
}
