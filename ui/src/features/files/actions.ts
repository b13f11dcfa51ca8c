import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { FileAction, ModelFilesView } from "@/api/generated/types.gen";
import { filesQuery } from "@/api/queries";
import { notifyDone } from "@/components/notify";

export type FileOrder = Exclude<FileAction, "deploy">;

interface Command {
  action: FileOrder;
  item: ModelFilesView;
}

function send({ action, item }: Command): Promise<void> {
  const { node_id: node, key } = item;
  return action === "delete" || action === "forget" ? api.deleteFiles(node, key) : api.orderFiles(node, key, action);
}

/** Orders about a model's files. Each says what now happens, or why it does not. */
export function useFileCommand(onDone?: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: (_answer, { action, item }) => {
      notifyDone(t(`files.done.${action}`, { name: item.name }));
      onDone?.();
    },
    onSettled: () => queries.invalidateQueries(filesQuery),
  });
}
