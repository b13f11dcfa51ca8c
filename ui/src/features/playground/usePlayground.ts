import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import type { CodeInput } from "./code";
import { examplePicture } from "./example";
import { defaultSampling, exampleQuestions, isDemo, seesPictures } from "./models";
import { useConversation } from "./useConversation";
import { usePictures } from "./usePictures";

/** Everything that is typed and chosen on the page, and what is done with it. */
export function usePlayground(model: DeploymentView) {
  const { t } = useTranslation();
  const demo = isDemo(model);
  const [text, setText] = useState("");
  const [sampling, setSampling] = useState(() => defaultSampling(model));
  const [memory, setMemory] = useState(!demo);
  const pictures = usePictures(demo);
  const conversation = useConversation();
  const describe = exampleQuestions(model, t)[0] ?? "";
  const question = { model: model.name, sampling, memory };

  const submit = (): void => {
    void conversation.ask({ ...question, text: text.trim(), pictures: pictures.pictures });
    setText("");
    // Where each question stands alone, the next one is about the same pictures until they are removed.
    if (memory) pictures.clear();
  };

  const example = async (): Promise<void> => {
    await pictures.add([await examplePicture(t("playground.exampleName"))]);
    setText(describe);
  };

  const clear = (): void => {
    conversation.clear();
    pictures.clear();
    setText("");
  };

  const retry = (): void => {
    conversation.retry(question);
  };

  /** What the code view shows: the question being written, else the last one, else an example. */
  const codeInput = (): CodeInput => {
    const asked = conversation.turns.findLast((turn) => turn.role === "user");
    return {
      origin: window.location.origin,
      model: model.name,
      prompt: text.trim() || (asked?.text ?? describe),
      pictures: pictures.pictures.length || (asked?.pictures.length ?? (seesPictures(model) ? 1 : 0)),
      sampling,
    };
  };

  return {
    text,
    setText,
    sampling,
    setSampling,
    memory,
    setMemory,
    pictures,
    conversation,
    submit,
    example,
    clear,
    retry,
    codeInput,
  };
}
