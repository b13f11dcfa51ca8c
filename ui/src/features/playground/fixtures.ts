/** Turns for tests. */
import type { AssistantTurn, Picture, UserTurn } from "./turns";
import { waiting } from "./turns";

export const makePicture = (id = "1", src = "data:image/png;base64,AAAA"): Picture => ({
  id,
  name: `${id}.png`,
  src,
  width: 10,
  height: 20,
  inner: { x: 0, y: 0, width: 10, height: 20 },
  original: { width: 10, height: 20 },
});

export const asked = (text: string, ...pictures: Picture[]): UserTurn => ({ id: text, role: "user", text, pictures });

export const answered = (text: string, more: Partial<AssistantTurn> = {}): AssistantTurn => ({
  ...waiting("m"),
  text,
  state: "done",
  ...more,
});
