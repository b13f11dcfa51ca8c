import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { enginesApi, enginesQuery } from "@/api/engines";
import type { EnvironmentAction, EnvironmentView, InstallRequest, RegisterRequest } from "@/api/generated/types.gen";
import { notifyDone } from "@/components/notify";

interface Command {
  action: EnvironmentAction;
  item: EnvironmentView;
}

function send({ action, item }: Command): Promise<void> {
  return action === "remove" || action === "forget" ? enginesApi.remove(item) : enginesApi.order(item, action);
}

/** An order that refreshes the list, and says what now happens. */
function useOrder<T>(order: (what: T) => Promise<void>, done: (what: T) => string, onDone?: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: order,
    onSuccess: (_answer, what) => {
      notifyDone(done(what));
      onDone?.();
    },
    onSettled: () => queries.invalidateQueries(enginesQuery),
  });
}

export function useEngineCommand(onDone?: () => void) {
  const { t } = useTranslation();
  const name = ({ engine, version }: EnvironmentView): string => `${engine} ${version}`.trim();
  return useOrder(send, ({ action, item }) => t(`engines.done.${action}`, { name: name(item) }), onDone);
}

export function useInstall(onDone: () => void) {
  const { t } = useTranslation();
  return useOrder(
    (body: InstallRequest) => enginesApi.install(body),
    ({ engine, version }) => t("engines.done.install", { name: `${engine} ${version}` }),
    onDone,
  );
}

export function useRegister(onDone: () => void) {
  const { t } = useTranslation();
  return useOrder(
    (body: RegisterRequest) => enginesApi.register(body),
    ({ path }) => t("engines.done.register", { path }),
    onDone,
  );
}
