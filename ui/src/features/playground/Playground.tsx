import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { Bar } from "./Bar";
import { CodeDialog } from "./CodeDialog";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";
import { ModelNotes } from "./ModelNotes";
import { ModelSelect } from "./ModelSelect";
import { seesPictures } from "./models";
import classes from "./Playground.module.css";
import { SamplingPanel } from "./SamplingPanel";
import { useDrop } from "./useDrop";
import { usePlayground } from "./usePlayground";
import { Welcome } from "./Welcome";

interface Props {
  model: DeploymentView;
  models: readonly DeploymentView[];
}

/** A conversation with one model: pictures and words in, an answer out. */
export function Playground({ model, models }: Props): ReactElement {
  const { t } = useTranslation();
  const state = usePlayground(model);
  const { conversation, pictures } = state;
  const wide = useMediaQuery("(min-width: 1000px)", true, { getInitialValueInEffect: false });
  const [panel, togglePanel] = useDisclosure(wide);
  const [code, showCode] = useDisclosure(false);
  const vision = seesPictures(model);
  const drop = useDrop(vision, (files) => void pictures.add(files));
  return (
    <div className={classes.page} {...drop.handlers}>
      <Bar panel={panel} onClear={state.clear} onCode={showCode.open} onPanel={togglePanel.toggle}>
        <ModelSelect model={model} models={models} />
      </Bar>
      <div className={classes.body}>
        <div className={classes.chat}>
          <div className={classes.scroll} data-scroll>
            <ModelNotes model={model} />
            {conversation.turns.length === 0 ? (
              <Welcome model={model} onExample={() => void state.example()} onText={state.setText} />
            ) : (
              <Conversation
                turns={conversation.turns}
                model={model.name}
                maxTokens={state.sampling.maxTokens}
                onRetry={state.retry}
              />
            )}
          </div>
          <Composer
            text={state.text}
            pictures={pictures.pictures}
            busy={conversation.busy}
            vision={vision}
            disabled={model.phase !== "ready"}
            onText={state.setText}
            onFiles={(files) => void pictures.add(files)}
            onRemove={pictures.remove}
            onSubmit={state.submit}
            onStop={conversation.stop}
          />
        </div>
        {panel && (
          <aside className={classes.panel} aria-label={t("playground.parameters")}>
            <SamplingPanel
              sampling={state.sampling}
              memory={state.memory}
              onSampling={state.setSampling}
              onMemory={state.setMemory}
            />
          </aside>
        )}
      </div>
      {drop.over && <div className={classes.drop}>{t("playground.drop")}</div>}
      {code && <CodeDialog onClose={showCode.close} input={state.codeInput()} />}
    </div>
  );
}
