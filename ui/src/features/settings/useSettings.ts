import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { hubApi, hubSettingsQuery } from "@/api/hub";
import type { HubSettingsRequest } from "@/api/generated/types.gen";
import type { Hub } from "@/api/hub";
import { notifyDone } from "@/components/notify";

/** What hubs said under other settings is forgotten: it may be wrong now. */
function useFresh(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    queries.removeQueries({ queryKey: ["hub"] });
    await queries.invalidateQueries(hubSettingsQuery);
  };
}

export function useChange(onDone?: () => void) {
  const { t } = useTranslation();
  const fresh = useFresh();
  return useMutation({
    mutationFn: (body: HubSettingsRequest) => hubApi.change(body),
    onSuccess: async () => {
      await fresh();
      notifyDone(t("settings.changed"));
      onDone?.();
    },
  });
}

export function useStoreToken(hub: Hub, onDone: () => void) {
  const { t } = useTranslation();
  const fresh = useFresh();
  return useMutation({
    mutationFn: (token: string) => hubApi.storeToken(hub, token),
    gcTime: 0, // The token is not kept in memory after it was sent.
    onSuccess: async () => {
      await fresh();
      notifyDone(t("settings.stored"));
      onDone();
    },
  });
}

export function useRemoveToken(hub: Hub, onDone: () => void) {
  const { t } = useTranslation();
  const fresh = useFresh();
  return useMutation({
    mutationFn: () => hubApi.removeToken(hub),
    onSuccess: async () => {
      await fresh();
      notifyDone(t("settings.removed"));
      onDone();
    },
  });
}
