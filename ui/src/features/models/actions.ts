import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import { deploymentsQuery } from "@/api/queries";
import { notifyDone } from "@/components/notify";

export type Command =
  | { action: "start" | "stop" | "restart" | "delete"; name: string }
  | { action: "scale"; name: string; replicas: number };

/** Gives one order. */
export function send(command: Command): Promise<void> {
  if (command.action === "scale") return api.scale(command.name, command.replicas);
  if (command.action === "delete") return api.deleteDeployment(command.name);
  return api[command.action](command.name);
}

/** Orders about a deployment. Each says what now happens, or why it does not. */
export function useCommand(onDone?: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: (_answer, command) => {
      notifyDone(t(`action.done.${command.action}`, { name: command.name }));
      onDone?.();
    },
    onSettled: () => queries.invalidateQueries(deploymentsQuery),
  });
}
