import { Accordion, Alert, NumberInput, Select, Stack, TextInput } from "@mantine/core";
import { IconSparkles } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { ParameterEditor } from "./ParameterEditor";
import type { FormState } from "./spec";
import { suggestName, validName } from "./spec";

interface Props {
  form: FormState;
  nameFixed: boolean;
  onChange: (form: FormState) => void;
}

function SourceField({ form, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  if (form.kind === "demo") {
    return (
      <Alert role="note" icon={<IconSparkles size={18} />} title={t("deploy.demo")} p="sm">
        {t("deploy.demoHint")}
      </Alert>
    );
  }
  return (
    <TextInput
      label={t("deploy.path")}
      description={t("deploy.localHint")}
      placeholder="/models/Qwen2-VL-2B-Instruct-Q4_K_M.gguf"
      required
      data-autofocus
      spellCheck={false}
      value={form.path}
      onChange={(event) => {
        const path = event.currentTarget.value;
        onChange({ ...form, path, name: form.named ? form.name : suggestName(path) });
      }}
    />
  );
}

/** The entries of the form: source, name, engine, replicas, and what only experts change. */
export function FormFields(props: Props): ReactElement {
  const { t } = useTranslation();
  const { form, nameFixed, onChange } = props;
  const badName = form.name !== "" && !validName(form.name);
  return (
    <Stack>
      <SourceField {...props} />
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
        ]}
        value={form.engine}
        allowDeselect={false}
        onChange={(value) => {
          onChange({ ...form, engine: value === "llama.cpp" ? "llama.cpp" : "auto" });
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
            <ParameterEditor
              parameters={form.parameters}
              onChange={(parameters) => {
                onChange({ ...form, parameters });
              }}
            />
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </Stack>
  );
}
