import { Accordion, NumberInput, Select, Stack, TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { ParameterEditor } from "./ParameterEditor";
import { PlacementFields } from "./PlacementFields";
import { ScalingFields } from "./ScalingFields";
import type { FormState } from "./spec";
import { validName } from "./spec";

interface Props {
  form: FormState;
  nameFixed: boolean;
  onChange: (form: FormState) => void;
}

/** The entries of the form after its source: name, engine, replicas, and what only experts change. */
export function FormFields({ form, nameFixed, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  const badName = form.name !== "" && !validName(form.name);
  return (
    <Stack>
      <TextInput
        label={t("common.name")}
        description={t("deploy.nameHint")}
        required
        data-autofocus={form.kind === "demo" || undefined}
        disabled={nameFixed}
        error={badName && t("deploy.nameInvalid")}
        value={form.name}
        onChange={(event) => {
          onChange({ ...form, name: event.currentTarget.value, named: true });
        }}
      />
      <Select
        label={t("deploy.engine")}
        data={[
          { value: "auto", label: t("deploy.engineAuto") },
          { value: "llama.cpp", label: "llama-box / llama.cpp" },
          { value: "vllm", label: "vLLM" },
        ]}
        value={form.engine}
        allowDeselect={false}
        onChange={(value) => {
          onChange({ ...form, engine: value === "llama.cpp" || value === "vllm" ? value : "auto" });
        }}
      />
      <NumberInput
        label={t("deploy.replicas")}
        min={0}
        max={64}
        allowDecimal={false}
        value={form.replicas}
        onChange={(value) => {
          onChange({ ...form, replicas: Number(value) });
        }}
      />
      <Accordion variant="contained" defaultValue={form.parameters.length > 0 ? "advanced" : null}>
        <Accordion.Item value="advanced">
          <Accordion.Control>{t("deploy.advanced")}</Accordion.Control>
          <Accordion.Panel>
            <Stack>
              <ParameterEditor
                parameters={form.parameters}
                onChange={(parameters) => {
                  onChange({ ...form, parameters });
                }}
              />
              <PlacementFields
                wishes={form.placement}
                onChange={(placement) => {
                  onChange({ ...form, placement });
                }}
              />
              <ScalingFields
                wishes={form.scaling}
                onChange={(scaling) => {
                  onChange({ ...form, scaling });
                }}
              />
            </Stack>
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Stack>
  );
}
