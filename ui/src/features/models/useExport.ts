import { useMutation } from "@tanstack/react-query";
import { api } from "@/api/calls";
import { saveText } from "@/lib/saveText";

/** Saves models as YAML, as `aimindserve apply -f` takes it. */
export function useExport() {
  return useMutation({
    mutationFn: async (names: readonly string[]) => {
      const text = await api.exportDeployments(names);
      saveText(names.length === 1 ? `${names[0] ?? "model"}.yaml` : "models.yaml", text);
    },
  });
}
