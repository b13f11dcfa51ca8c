import { ActionIcon, Button, Group, Title, Tooltip } from "@mantine/core";
import { useDisclosure, useMediaQuery } from "@mantine/hooks";
import { IconAdjustments, IconCode, IconEraser } from "@tabler/icons-react";
import type { DragEvent, ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { CodeDialog } from "./CodeDialog";
import { Composer } from "./Composer";
import { Conversation } from "./Conversation";
import { examplePicture } from "./example";
import { ModelNotes } from "./ModelNotes";
import { ModelSelect } from "./ModelSelect";
import { defaultSampling, isDemo, seesPictures } from "./models";
import classes from "./Playground.module.css";
import { SamplingPanel } from "./SamplingPanel";
import { useConversation } from "./useConversation";
import { usePictures } from "./usePictures";
import { Welcome } from "./Welcome";

interface Props {
  model: DeploymentView;
  models: readonly DeploymentView[];
}

/** Everything that is typed and chosen here, and what is done with it. */
function usePlayground(model: DeploymentView) {
  const { t } = useTranslation();
  const demo = isDemo(model);
  const [text, setText] = useState("");
  const [sampling, setSampling] = useState(() => defaultSampling(model));
  const [memory, setMemory] = useState(!demo);
  const pictures = usePictures(demo);
  const conversation = useConversation();
  const question = { model: model.name, sampling, memory };
  const submit = (): void => {
    void conversation.ask({ ...question, text: text.trim(), pictures: pictures.pictures });
    setText("");
    // Where each question stands alone, the next one is about the same pictures until they are removed.
    if (memory) pictures.clear();
  };
  const example = async (): Promise<void> => {
    await pictures.add([await examplePicture(t("playground.exampleName"))]);
    setText(t("playground.examples.caption"));
  };
  const clear = (): void => {
    conversation.clear();
    pictures.clear();
    setText("");
  };
  const retry = (): void => {
    conversation.retry(question);
  };
  return { text, setText, sampling, setSampling, memory, setMemory, pictures, conversation, submit, example, clear, retry };
}

export function Playground({ model, models }: Props): ReactElement {
  const { t } = useTranslation();
  const state = usePlayground(model);
  const { conversation, pictures } = state;
  const wide = useMediaQuery("(min-width: 1000px)", true, { getInitialValueInEffect: false });
  const [panel, togglePanel] = useDisclosure(wide);
  const [code, showCode] = useDisclosure(false);
  const [dragging, setDragging] = useState(false);
  const vision = seesPictures(model);
  const drag = (event: DragEvent): void => {
    if (!vision || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setDragging(event.type === "dragover");
    if (event.type === "drop") void pictures.add(event.dataTransfer.files);
  };
  const lastAsked = conversation.turns.findLast((turn) => turn.role === "user");
  return (
    <div className={classes.page} onDragOver={drag} onDragLeave={drag} onDrop={drag}>
      <Group className={classes.bar ?? ""} justify="space-between" wrap="wrap" gap="xs">
        <Title order={2} size="h3">
          {t("playground.title")}
        </Title>
        <Group gap="xs">
          <Tooltip label={t("playground.clear")}>
            <ActionIcon size="lg" variant="default" aria-label={t("playground.clear")} onClick={state.clear}>
              <IconEraser size={18} />
            </ActionIcon>
          </Tooltip>
          <Button variant="default" leftSection={<IconCode size={16} />} onClick={showCode.open}>
            {t("playground.code")}
          </Button>
          <Tooltip label={t("playground.parameters")}>
            <ActionIcon
              size="lg"
              variant={panel ? "light" : "default"}
              aria-label={t("playground.parameters")}
              aria-expanded={panel}
              onClick={togglePanel.toggle}
            >
              <IconAdjustments size={18} />
            </ActionIcon>
          </Tooltip>
          <ModelSelect model={model} models={models} />
        </Group>
      </Group>
      <div className={classes.body}>
        <div className={classes.chat}>
          <div className={classes.scroll}>
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
      {dragging && <div className={classes.drop}>{t("playground.drop")}</div>}
      {code && (
        <CodeDialog
          onClose={showCode.close}
          input={{
            origin: window.location.origin,
            model: model.name,
            prompt: state.text || (lastAsked?.text ?? t("playground.examples.caption")),
            pictures: pictures.pictures.length || (lastAsked?.pictures.length ?? (vision ? 1 : 0)),
            sampling: state.sampling,
          }}
        />
      )}
    </div>
  );
}
