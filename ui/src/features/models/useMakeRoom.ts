import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import { ApiError } from "@/api/client";
import type { DeploymentView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import { notifyDone } from "@/components/notify";
import type { Step } from "./room";

/** Stops or changes other deployments, one after the other; what was changed by somebody meanwhile is not overwritten. */
export function useMakeRoom(deployments: readonly DeploymentView[], onDone: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (room: readonly Step[]) => {
      for (const { name, patch } of room) {
        const seen = deployments.find((deployment) => deployment.name === name);
        if (!seen) throw new ApiError(404, "not_found", t("fit.gone", { name }), "");
        if (patch === null) await api.stop(name);
        else await api.editDeployment(name, seen.revision, patch);
      }
    },
    onSuccess: (_answer, room) => {
      notifyDone(t("fit.roomMade", { names: room.map(({ name }) => name).join(", ") }));
      onDone();
    },
    onSettled: async () => {
      await queries.invalidateQueries(deploymentsQuery);
      await queries.invalidateQueries({ queryKey: ["fit"] });
    },
  });
}
