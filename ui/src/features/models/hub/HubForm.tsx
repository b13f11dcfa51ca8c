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
import { emptyForm, freeName, specOf, suggestName, withPatch } from "../spec";
import { useFit } from "../useFit";
import { useSave } from "../useSave";
import { ChoiceList } from "./ChoiceList";
import classes from "./Hub.module.css";
import { ProjectorSelect } from "./ProjectorSelect";
import { choiceId, codeWaits, pickChoice, projectorWish, targetOf } from "./rules";

const route = getRouteApi("/models");

/** What was filled in for a repository, taken along to another one. */
export type Carried = FormState | null;

interface Props {
  files: HubFilesView;
  taken: readonly string[];
  carried: Carried;
  onMove: (repository: string, files: string, form: FormState) => void;
  onClose: () => void;
}

/** The form as it stands for `choice`: what was found for it, unless somebody wanted it otherwise. */
const withChoice = (form: FormState, choice: ChoiceView | undefined): FormState =>
  choice ? { ...form, path: choice.source, projector: projectorWish(choice, form.projector) } : form;

/** The form of a repository; what was taken along from another one stays, but for a name that nobody chose. */
function firstEntries(files: HubFilesView, taken: readonly string[], args: string[], carried: Carried): FormState {
  const name = freeName(suggestName(files.repository), taken);
  const fresh: FormState = { ...emptyForm(files.hub, taken), name, parameters: args };
  return carried ? { ...carried, kind: files.hub, projector: null, name: carried.named ? carried.name : name } : fresh;
}

/** Which files, and how they are run. */
export function HubForm({ files, taken, carried, onMove, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [entries, setEntries] = useState(() => firstEntries(files, taken, search.args ?? [], carried));
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
    const next = withPatch(entries, patch);
    const target = typeof patch.source === "string" ? targetOf(patch.source) : null;
    if (target && target.repository !== files.repository) {
      onMove(target.repository, target.files, next);
      return;
    }
    const other = target && files.choices.find((candidate) => choiceId(candidate) === target.files);
    if (other) choose(other);
    setEntries(next);
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
        <FitPreview
          fit={fit}
          onApply={apply}
          given={entries.parameters}
          onGiven={(parameters) => {
            setEntries((old) => ({ ...old, parameters }));
          }}
        />
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
