import { Button, Drawer, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { AlternativeView, DeploymentSpecInput, DeploymentView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { notifyDone } from "@/components/notify";
import { Reasons } from "@/components/Reasons";
import { isApiError } from "@/api/client";
import { FitPreview } from "./FitPreview";
import { FormFields } from "./FormFields";
import type { FormSource } from "./search";
import type { FormState } from "./spec";
import { emptyForm, formOf, patchOf, specOf } from "./spec";
import { useFit } from "./useFit";

interface Props {
  kind: FormSource;
  edited: DeploymentView | undefined;
  taken: readonly string[];
  onClose: () => void;
}

/** Only the number of replicas changes without new processes. */
const restarts = (old: DeploymentView, spec: DeploymentSpecInput): boolean =>
  old.spec.source !== spec.source ||
  old.spec.engine !== spec.engine ||
  JSON.stringify(old.spec.parameters) !== JSON.stringify(spec.parameters);

/** The form for a new deployment or a changed one, with its preview. */
export function DeploymentForm({ kind, edited, taken, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  // What the person saw when the form was opened: a change by somebody else meanwhile is not overwritten.
  const [opened] = useState(edited);
  const [form, setForm] = useState<FormState>(() => (edited ? formOf(edited.spec) : emptyForm(kind, taken)));
  const spec = specOf(form, edited?.spec);
  const fit = useFit(spec);
  const save = useMutation({
    mutationFn: (wanted: DeploymentSpecInput) =>
      opened ? api.editDeployment(opened.name, opened.revision, patchOf(wanted)) : api.createDeployment(wanted),
    meta: { quiet: true },
    onSuccess: async (saved) => {
      await queries.invalidateQueries(deploymentsQuery);
      notifyDone(t(edited ? "deploy.edited" : "deploy.done", { name: saved.name }));
      onClose();
    },
  });
  const apply = (alternative: AlternativeView): void => {
    setForm((old) => ({ ...old, ...(alternative.patch as Partial<FormState>) }));
  };
  const title = edited
    ? t("deploy.editTitle", { name: edited.name })
    : t("deploy.newTitle", { source: t(`deploy.${kind}`) });
  return (
    <Drawer opened onClose={onClose} size="lg" title={title} closeButtonProps={{ "aria-label": t("common.close") }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (spec) save.mutate(spec);
        }}
      >
        <Stack>
          <FormFields form={form} nameFixed={edited !== undefined} onChange={setForm} />
          {edited && spec && restarts(edited, spec) && <Text size="sm">{t("deploy.editRestarts")}</Text>}
          <FitPreview fit={fit} onApply={apply} />
          {save.error && <ErrorAlert error={save.error} />}
          {isApiError(save.error) && <Reasons reasons={save.error.reasons} failed />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={save.isPending} disabled={!spec || fit.report?.verdict === "no"}>
              {t("common.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}
