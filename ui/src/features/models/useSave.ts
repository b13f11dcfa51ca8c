import type { UseMutationResult } from "@tanstack/react-query";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { DeploymentSpecInput, DeploymentView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import { notifyDone } from "@/components/notify";
import { patchOf } from "./spec";

export type Save = UseMutationResult<DeploymentView, Error, DeploymentSpecInput>;

/** Creates a deployment, or changes `opened`: refused when somebody else changed it after it was read. */
export function useSave(opened: DeploymentView | undefined, onDone: () => void): Save {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wanted: DeploymentSpecInput) =>
      opened ? api.editDeployment(opened.name, opened.revision, patchOf(wanted)) : api.createDeployment(wanted),
    meta: { quiet: true },
    onSuccess: async (saved) => {
      await queries.invalidateQueries(deploymentsQuery);
      notifyDone(t(opened ? "deploy.edited" : "deploy.done", { name: saved.name }));
      onDone();
    },
  });
}
