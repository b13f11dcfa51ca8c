import type { ReactElement } from "react";
import { lazy, Suspense, useMemo } from "react";
import type { DeploymentView } from "@/api/generated/types.gen";
import { readGrounding } from "../grounding/read";
import { hintOf } from "../models";
import { splitThought } from "../reasoning";
import type { Picture } from "../turns";
import { isRemote } from "../turns";
import { useImageTokens } from "../useImageTokens";

export const loadOverlay = () => import("../grounding/Overlay").then(({ Overlay: found }) => ({ default: found }));

const Overlay = lazy(loadOverlay);

interface Props {
  text: string;
  pictures: readonly Picture[];
  model: DeploymentView;
}

/** Boxes and points of a whole answer on the pictures that it is about; nothing where it names none. */
export function Grounded({ text, pictures, model }: Props): ReactElement | null {
  const shown = pictures.filter((picture) => !isRemote(picture));
  const hint = hintOf(model);
  const found = useMemo(() => readGrounding(splitThought(text).answer, hint), [text, hint]);
  const counted = useImageTokens(model, found ? shown : []);
  if (!found || shown.length === 0) return null;
  const placed = shown.map((picture) => {
    const { id, name, src, width, height, inner, original } = picture;
    const tokens = counted.get(id);
    const seen =
      tokens?.seen_width && tokens.seen_height ? { width: tokens.seen_width, height: tokens.seen_height } : null;
    return { id, name, src, inner, original, sent: { width, height }, seen };
  });
  return (
    <Suspense fallback={null}>
      <Overlay key={text} found={found} pictures={placed} />
    </Suspense>
  );
}
