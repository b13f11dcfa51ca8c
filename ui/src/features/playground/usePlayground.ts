import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView } from "@/api/generated/types.gen";
import { answers } from "@/lib/models";
import type { CodeInput } from "./code";
import { useHistory } from "./history/useHistory";
import { DEMO_QUESTIONS, defaultSampling, isDemo } from "./models";
import { isSendable } from "./sampling";
import type { UserTurn } from "./turns";
import { newId } from "./turns";
import { useConversation } from "./useConversation";
import { useImageTokens } from "./useImageTokens";
import { useQuestion } from "./useQuestion";

/** Everything that is typed and chosen on the page, and what is done with it. */
export function usePlayground(model: DeploymentView) {
  const { t } = useTranslation();
  const [sampling, setSampling] = useState(() => defaultSampling(model));
  const question = useQuestion(isDemo(model));
  const { text, setText, pictures } = question;
  const conversation = useConversation();
  const { turns, busy, ask, say, replace } = conversation;
  const tokens = useImageTokens(model, pictures.pictures);
  const asking = { model: model.name, sampling };
  const history = useHistory({
    model: model.name,
    turns,
    busy,
    sampling,
    onOpen: (saved) => {
      replace(saved.turns);
      setSampling(saved.sampling);
    },
  });
  const obstacle = !answers(model) ? t("playground.notReady") : isSendable(sampling) ? "" : t("playground.jsonWrong");

  return {
    ...question,
    sampling,
    setSampling,
    tokens,
    conversation,
    asking,
    history,
    obstacle,
    submit: (): void => {
      void ask(text.trim(), pictures.pictures, asking);
      setText("");
      // Where each question stands alone, the next one is about the same pictures until they are removed.
      if (sampling.memory) pictures.clear();
    },
    say: (): void => {
      say(text.trim());
      setText("");
    },
    clear: (): void => {
      replace([]);
      pictures.clear();
      setText("");
      history.forget();
    },
    /** What the code view shows: the question being written, else the last one, else an example. */
    codeInput: (): CodeInput => {
      const last = turns.findLastIndex((turn) => turn.role === "user");
      const words = text.trim() || (isDemo(model) ? DEMO_QUESTIONS[0] : t("playground.examples.describe"));
      const writing: UserTurn = { id: newId(), role: "user", text: words, pictures: pictures.pictures };
      const asked = text.trim() || last < 0 ? [...turns, writing] : turns.slice(0, last + 1);
      return { origin: window.location.origin, model: model.name, turns: asked, sampling };
    },
  };
}
