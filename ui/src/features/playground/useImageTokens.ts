import { useQueries } from "@tanstack/react-query";
import type { DeploymentView, ImageTokensView } from "@/api/generated/types.gen";
import { imageTokensQuery } from "@/api/queries";
import type { Picture } from "./turns";
import { isRemote } from "./turns";

/** What each picture takes of the model's context, by the picture's id; nothing for those that are still asked for and
 * for those that only the gateway knows. */
export function useImageTokens(model: DeploymentView, pictures: readonly Picture[]): Map<string, ImageTokensView> {
  const known = pictures.filter((picture) => !isRemote(picture));
  const answers = useQueries({
    queries: known.map(({ width, height }) => imageTokensQuery(model.name, model.generation, width, height)),
  });
  return new Map(known.flatMap(({ id }, index) => (answers[index]?.data ? [[id, answers[index].data]] : [])));
}
