import { Stack, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { AlternativeView, ChoiceView, HubFilesView } from "@/api/generated/types.gen";
import { FitPreview } from "../FitPreview";
import { FormFields } from "../FormFields";
import { SaveBar } from "../SaveBar";
import type { FormState } from "../spec";
import { emptyForm, freeName, specOf, suggestName } from "../spec";
import { useFit } from "../useFit";
import { useSave } from "../useSave";
import { ChoiceList } from "./ChoiceList";
import classes from "./Hub.module.css";
import { ProjectorSelect } from "./ProjectorSelect";
import { choiceId, codeWaits, pickChoice, projectorWish } from "./rules";

const route = getRouteApi("/models");

interface Props {
  files: HubFilesView;
  taken: readonly string[];
  onClose: () => void;
}

/** The form as it stands for `choice`: what was found for it, unless somebody wanted it otherwise. */
const withChoice = (form: FormState, choice: ChoiceView | undefined): FormState =>
  choice ? { ...form, path: choice.source, projector: projectorWish(choice, form.projector) } : form;

/** Which files, and how they are run. */
export function HubForm({ files, taken, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [entries, setEntries] = useState<FormState>(() => ({
    ...emptyForm(files.hub, taken),
    name: freeName(suggestName(files.repository), taken),
    parameters: search.args ?? [],
  }));
  const choice = pickChoice(files.choices, search.files);
  const form = withChoice(entries, choice);
  const deployable = choice?.refused === null && files.problem === null;
  const spec = deployable ? specOf(form) : null;
  const fit = useFit(spec);
  const save = useSave(undefined, onClose);
  const choose = (chosen: ChoiceView): void => {
    const address = { repo: files.repository, files: choiceId(chosen) || undefined };
    void navigate({ search: (old) => ({ ...old, ...address }), replace: true });
  };
  const apply = ({ patch }: AlternativeView): void => {
    const smaller = files.choices.find((candidate) => candidate.source === patch.source);
    if (smaller) choose(smaller);
    setEntries((old) => ({ ...old, ...(patch as Partial<FormState>) }));
  };
  const barred = codeWaits(files);
  return (
    <form
      aria-label={t("hub.form", { repository: files.repository })}
      onSubmit={(event) => {
        event.preventDefault();
        if (spec && !barred) save.mutate(spec);
      }}
    >
      <Stack>
        <ChoiceList choices={files.choices} chosen={choice} onChoose={choose} />
        {choice && (
          <ProjectorSelect
            choice={choice}
            picked={form.projector}
            onPick={(projector) => {
              setEntries((old) => ({ ...old, projector }));
            }}
          />
        )}
        <FormFields form={form} nameFixed={false} onChange={setEntries} />
        <FitPreview fit={fit} onApply={apply} />
        <div className={classes.save}>
          {barred && (
            <Text size="sm" c="dimmed" mb="xs">
              {t("hub.code.waits")}
            </Text>
          )}
          <SaveBar save={save} disabled={!spec || barred || fit.report?.verdict === "no"} onCancel={onClose} />
        </div>
      </Stack>
    </form>
  );
}
