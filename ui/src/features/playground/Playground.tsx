import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { Bar } from "./Bar";
import { ChatButtons } from "./ChatButtons";
import { Composer } from "./composer/Composer";
import { ContextNote } from "./composer/ContextNote";
import { Conversation } from "./Conversation";
import { ModelNotes } from "./ModelNotes";
import { ModelSelect } from "./ModelSelect";
import { defaultSampling, seesPictures } from "./models";
import classes from "./Playground.module.css";
import { useDrop } from "./useDrop";
import { usePlayground } from "./usePlayground";
import { Welcome } from "./Welcome";

const route = getRouteApi("/playground");

const CodeDialog = lazy(() => import("./CodeDialog").then(({ CodeDialog: found }) => ({ default: found })));
const HistoryDrawer = lazy(() =>
  import("./history/HistoryDrawer").then(({ HistoryDrawer: found }) => ({ default: found })),
);
const SamplingPanel = lazy(() =>
  import("./panel/SamplingPanel").then(({ SamplingPanel: found }) => ({ default: found })),
);

interface Props {
  model: DeploymentView;
  models: readonly DeploymentView[];
}

/** A conversation with one model: pictures and words in, an answer out. */
export function Playground({ model, models }: Props): ReactElement {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const state = usePlayground(model);
  const { conversation, pictures, history } = state;
  const wide = useMediaQuery("(min-width: 1000px)", true, { getInitialValueInEffect: false });
  const [panel, togglePanel] = useDisclosure(wide);
  const [code, showCode] = useDisclosure(false);
  const [kept, showKept] = useDisclosure(false);
  const vision = seesPictures(model);
  const drop = useDrop(vision, state.addFiles);
  return (
    <div className={classes.page} {...drop.handlers}>
      <Bar>
        <ChatButtons
          panel={panel}
          onClear={state.clear}
          onHistory={showKept.open}
          onCode={showCode.open}
          onPanel={togglePanel.toggle}
        />
        <ModelSelect model={model} models={models} />
      </Bar>
      <div className={classes.body}>
        <div className={classes.chat}>
          <div className={classes.scroll} data-scroll>
            <ModelNotes model={model} />
            {conversation.turns.length === 0 ? (
              <Welcome
                model={model}
                onExample={(example, question) => void state.example(example, question)}
                onText={state.setText}
              />
            ) : (
              <Conversation conversation={conversation} model={model} asking={state.asking} />
            )}
          </div>
          <Composer
            text={state.text}
            pictures={pictures}
            tokens={state.tokens}
            pdf={state.pdf}
            busy={conversation.busy}
            vision={vision}
            obstacle={state.obstacle}
            note={<ContextNote tokens={state.tokens} context={model.context_length} />}
            onText={state.setText}
            onFiles={state.addFiles}
            onPdfDone={state.pdfDone}
            onSubmit={state.submit}
            onStop={conversation.stop}
            onSay={state.say}
          />
        </div>
        {panel && (
          <aside className={classes.panel} aria-label={t("playground.parameters")}>
            <Suspense fallback={null}>
              <SamplingPanel sampling={state.sampling} usual={defaultSampling(model)} onSampling={state.setSampling} />
            </Suspense>
          </aside>
        )}
      </div>
      {drop.over && <div className={classes.drop}>{t("playground.drop")}</div>}
      <Suspense fallback={null}>
        {code && <CodeDialog onClose={showCode.close} input={state.codeInput()} />}
        {kept && (
          <HistoryDrawer
            owner={history.owner}
            current={history.current}
            onOpen={({ id, model: name }) => {
              const there = models.some((candidate) => candidate.name === name);
              void navigate({ search: { model: there ? name : model.name, chat: id } });
              showKept.close();
            }}
            onGone={state.clear}
            onClose={showKept.close}
          />
        )}
      </Suspense>
    </div>
  );
}
