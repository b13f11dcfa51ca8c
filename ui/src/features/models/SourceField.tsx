import { Alert, TextInput } from "@mantine/core";
import { IconSparkles } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { isHub } from "./search";
import type { FormState } from "./spec";
import { suggestName } from "./spec";

interface Props {
  form: FormState;
  onChange: (form: FormState) => void;
}

/** Where the model comes from: a path to type, or what stands fast. */
export function SourceField({ form, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  if (form.kind === "demo") {
    return (
      <Alert role="note" icon={<IconSparkles size={18} />} title={t("deploy.demo")} p="sm">
        {t("deploy.demoHint")}
      </Alert>
    );
  }
  const hub = isHub(form.kind);
  return (
    <TextInput
      label={hub ? t("deploy.source") : t("deploy.path")}
      description={hub ? t("deploy.sourceHint") : t("deploy.localHint")}
      placeholder="/models/Qwen2-VL-2B-Instruct-Q4_K_M.gguf"
      required
      data-autofocus
      spellCheck={false}
      value={form.path}
      onChange={(event) => {
        const path = event.currentTarget.value;
        // A projector that was chosen by its path belongs to the source before.
        const projector = form.projector === "none" ? "none" : null;
        onChange({ ...form, path, projector, name: form.named ? form.name : suggestName(path) });
      }}
    />
  );
}
