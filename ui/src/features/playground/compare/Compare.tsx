import { ActionIcon, MultiSelect, Switch, Text, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconAdjustments, IconColumns3 } from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { EmptyState } from "@/components/EmptyState";
import { Bar } from "../Bar";
import { Composer } from "../composer/Composer";
import { defaultSampling, isDemo, seesPictures } from "../models";
import { SamplingPanel } from "../panel/SamplingPanel";
import pageClasses from "../Playground.module.css";
import { isSendable } from "../sampling";
import { MOST_COMPARED } from "../search";
import type { AssistantTurn, UserTurn } from "../turns";
import { newId } from "../turns";
import { useDrop } from "../useDrop";
import { useImageTokens } from "../useImageTokens";
import { useQuestion } from "../useQuestion";
import { Column } from "./Column";
import classes from "./Compare.module.css";
import { FigureTable } from "./FigureTable";
import { useCompare } from "./useCompare";

const route = getRouteApi("/playground");

interface Props {
  models: readonly DeploymentView[];
  /** Who is compared where the address names nobody. */
  first: DeploymentView;
}

/** The models of the address that are still there. */
function useChosen({ models, first }: Props): DeploymentView[] {
  const { models: names } = route.useSearch();
  const found = (names ?? []).flatMap((name) => models.filter((model) => model.name === name));
  return found.length ? found : [first];
}

interface AnswersProps {
  asked: UserTurn;
  answers: ReadonlyMap<string, AssistantTurn>;
  models: readonly DeploymentView[];
  differences: boolean;
  maxTokens: number;
  onRetry: () => void;
}

function Answers({ asked, answers, models, differences, maxTokens, onRetry }: AnswersProps): ReactElement {
  const base = [...answers.values()][0];
  const columns = [...answers].flatMap(([name, turn]) => {
    const model = models.find((candidate) => candidate.name === name);
    return model ? [{ model, turn }] : [];
  });
  return (
    <div className={classes.answers}>
      <Text className={classes.question ?? ""} data-turn="user">
        {asked.text}
      </Text>
      <FigureTable answers={answers} />
      <div className={classes.columns}>
        {columns.map(({ model, turn }) => (
          <Column
            key={model.name}
            model={model}
            turn={turn}
            pictures={asked.pictures}
            maxTokens={maxTokens}
            base={differences && base && base !== turn ? base.text : null}
            onRetry={onRetry}
          />
        ))}
      </div>
    </div>
  );
}

/** The same pictures and the same question to several models, side by side. */
export function Compare(props: Props): ReactElement {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const chosen = useChosen(props);
  const [lead = props.first] = chosen;
  const [panel, togglePanel] = useDisclosure(false);
  const [differences, setDifferences] = useState(false);
  const [sampling, setSampling] = useState(() => defaultSampling(lead));
  const question = useQuestion(chosen.some(isDemo));
  const { asked, answers, busy, ask, stop } = useCompare();
  const vision = chosen.some(seesPictures);
  const tokens = useImageTokens(lead, question.pictures.pictures);
  const drop = useDrop(vision, question.addFiles);
  const names = chosen.map((model) => model.name);
  const obstacle = chosen.every((model) => model.phase !== "ready")
    ? t("playground.notReady")
    : isSendable(sampling)
      ? ""
      : t("playground.jsonWrong");
  return (
    <div className={pageClasses.page} {...drop.handlers}>
      <Bar>
        {answers.size > 1 && (
          <Switch
            label={t("compare.differences")}
            checked={differences}
            onChange={(event) => {
              setDifferences(event.currentTarget.checked);
            }}
          />
        )}
        <Tooltip label={t("playground.parameters")}>
          <ActionIcon
            size={36}
            variant={panel ? "light" : "default"}
            aria-label={t("playground.parameters")}
            aria-expanded={panel}
            onClick={togglePanel.toggle}
          >
            <IconAdjustments size={18} />
          </ActionIcon>
        </Tooltip>
        <MultiSelect
          className={classes.models ?? ""}
          aria-label={t("compare.models")}
          placeholder={chosen.length < MOST_COMPARED ? t("compare.add") : ""}
          data={props.models.map((model) => model.name)}
          value={names}
          maxValues={MOST_COMPARED}
          hidePickedOptions
          searchable
          onChange={(next) =>
            void navigate({
              search: ({ models: _old, ...rest }) => ({ ...rest, ...(next.length && { models: next }) }),
              replace: true,
            })
          }
        />
      </Bar>
      <div className={pageClasses.body}>
        <div className={pageClasses.chat}>
          <div className={pageClasses.scroll} data-scroll>
            {asked === null ? (
              <EmptyState
                icon={<IconColumns3 size={32} />}
                title={t("compare.emptyTitle")}
                hint={t("compare.emptyHint", { most: MOST_COMPARED })}
              />
            ) : (
              <Answers
                asked={asked}
                answers={answers}
                models={props.models}
                differences={differences}
                maxTokens={sampling.maxTokens}
                onRetry={() => {
                  ask(names, asked, sampling);
                }}
              />
            )}
          </div>
          <Composer
            text={question.text}
            pictures={question.pictures}
            tokens={tokens}
            pdf={question.pdf}
            busy={busy}
            vision={vision}
            obstacle={obstacle}
            note={t("compare.asked", { count: names.length })}
            onText={question.setText}
            onFiles={question.addFiles}
            onPdfDone={question.pdfDone}
            onSubmit={() => {
              ask(
                names,
                { id: newId(), role: "user", text: question.text.trim(), pictures: question.pictures.pictures },
                sampling,
              );
            }}
            onStop={stop}
            onSay={null}
          />
        </div>
        {panel && (
          <aside className={pageClasses.panel} aria-label={t("playground.parameters")}>
            <SamplingPanel sampling={sampling} usual={defaultSampling(lead)} onSampling={setSampling} />
          </aside>
        )}
      </div>
      {drop.over && <div className={pageClasses.drop}>{t("playground.drop")}</div>}
    </div>
  );
}
