import { useEffect, useRef, useState } from "react";
import { stream } from "../answer";
import { buildRequest } from "../request";
import type { Sampling } from "../sampling";
import type { AssistantTurn, UserTurn } from "../turns";
import { isOver, waiting } from "../turns";

/** One question to several models at once, each answer as it comes. */
export function useCompare() {
  const [asked, setAsked] = useState<UserTurn | null>(null);
  const [answers, setAnswers] = useState<ReadonlyMap<string, AssistantTurn>>(new Map());
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const ask = (models: readonly string[], question: UserTurn, sampling: Sampling): void => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const first = models.map((model): [string, AssistantTurn] => [model, waiting(model)]);
    setAsked(question);
    setAnswers(new Map(first));
    for (const [model, answer] of first) {
      void stream(buildRequest(model, [question], sampling), answer, controller.signal, (turn) => {
        if (running.current === controller) setAnswers((old) => new Map(old).set(model, turn));
      });
    }
  };

  return {
    asked,
    answers,
    busy: [...answers.values()].some((turn) => !isOver(turn)),
    ask,
    stop: () => running.current?.abort(),
  };
}
