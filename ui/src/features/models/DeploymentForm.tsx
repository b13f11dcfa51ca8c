import { Drawer, Stack } from "@mantine/core";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { AlternativeView, DeploymentSpecOutput, DeploymentView } from "@/api/generated/types.gen";
import { HUB_NAMES } from "@/lib/hubs";
import { ChangePlanNote } from "./ChangePlanNote";
import { FitPreview } from "./FitPreview";
import { FormFields } from "./FormFields";
import { SaveBar } from "./SaveBar";
import type { FormSource } from "./search";
import { isHub } from "./search";
import { SourceField } from "./SourceField";
import type { FormState } from "./spec";
import { copyOf, emptyForm, formFor, formOf, specOf, withPatch } from "./spec";
import { useFit } from "./useFit";
import { useSave } from "./useSave";

interface Props {
  kind: FormSource;
  edited: DeploymentView | undefined;
  /** The spec that a new deployment begins with. */
  copied: DeploymentSpecOutput | undefined;
  /** What is to be deployed, where that is known already. */
  source: string | undefined;
  taken: readonly string[];
  onClose: () => void;
}

/** The form for a new deployment or a changed one, with its preview. */
export function DeploymentForm({ kind, edited, copied, source, taken, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  // What the person saw when the form was opened: a change by somebody else meanwhile is not overwritten.
  const [opened] = useState(edited);
  const [form, setForm] = useState<FormState>(() =>
    edited
      ? formOf(edited.spec)
      : copied
        ? copyOf(copied, taken)
        : source
          ? formFor(source, taken)
          : emptyForm(kind, taken),
  );
  const spec = specOf(form, edited?.spec ?? copied);
  const fit = useFit(spec);
  const save = useSave(opened, onClose);
  const apply = ({ patch }: AlternativeView): void => {
    setForm((old) => withPatch(old, patch));
  };
  const title = edited
    ? t("deploy.editTitle", { name: edited.name })
    : t("deploy.newTitle", { source: isHub(kind) ? HUB_NAMES[kind] : t(`deploy.${kind}`) });
  return (
    <Drawer opened onClose={onClose} size="lg" title={title} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (spec) save.mutate(spec);
        }}
      >
        <Stack>
          <SourceField form={form} onChange={setForm} />
          <FormFields form={form} nameFixed={edited !== undefined} onChange={setForm} />
          {opened && spec && <ChangePlanNote deployment={opened} spec={spec} />}
          <FitPreview
            fit={fit}
            onApply={apply}
            given={form.parameters}
            onGiven={(parameters) => {
              setForm((old) => ({ ...old, parameters }));
            }}
          />
          <SaveBar save={save} disabled={!spec || fit.report?.verdict === "no"} onCancel={onClose} />
        </Stack>
      </form>
    </Drawer>
  );
}
