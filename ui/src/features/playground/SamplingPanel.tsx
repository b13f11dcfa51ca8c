import { NumberInput, Stack, Switch, Textarea, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Sampling } from "./chat";

interface Props {
  sampling: Sampling;
  memory: boolean;
  onSampling: (sampling: Sampling) => void;
  onMemory: (memory: boolean) => void;
}

const clamp = (value: string | number, low: number, high: number): number =>
  Math.min(high, Math.max(low, Number(value) || low));

/** How the model is asked: instructions, chance, length. */
export function SamplingPanel({ sampling, memory, onSampling, onMemory }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Stack gap="md">
      <Title order={4}>{t("playground.parameters")}</Title>
      <Textarea
        label={t("playground.system")}
        autosize
        minRows={2}
        maxRows={8}
        value={sampling.system}
        onChange={(event) => {
          onSampling({ ...sampling, system: event.currentTarget.value });
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
          onSampling({ ...sampling, temperature: clamp(value, 0, 2) });
        }}
      />
      <NumberInput
        label={t("playground.maxTokens")}
        description={t("playground.maxTokensHint")}
        min={1}
        max={131072}
        step={64}
        allowDecimal={false}
        value={sampling.maxTokens}
        onChange={(value) => {
          onSampling({ ...sampling, maxTokens: clamp(value, 1, 131072) });
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
          onSampling({ ...sampling, topP: clamp(value, 0.01, 1) });
        }}
      />
      <Switch
        label={t("playground.memory")}
        description={t("playground.memoryHint")}
        checked={memory}
        onChange={(event) => {
          onMemory(event.currentTarget.checked);
        }}
      />
    </Stack>
  );
}
