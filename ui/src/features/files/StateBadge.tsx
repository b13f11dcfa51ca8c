import { Badge, Loader } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ModelState } from "@/api/generated/types.gen";

const COLOURS: Record<ModelState, string> = {
  queued: "yellow",
  downloading: "blue",
  ready: "teal",
  paused: "gray",
  failed: "red",
};

interface Props {
  state: ModelState;
  /** The files come from a folder on the machine, not from a hub. */
  brought?: boolean;
}

export function StateBadge({ state, brought = false }: Props): ReactElement {
  const { t } = useTranslation();
  const busy = state === "downloading" ? <Loader size={10} color="currentColor" aria-hidden /> : undefined;
  return (
    <Badge color={COLOURS[state]} variant="light" leftSection={busy} data-state={state} tt="none">
      {t(brought && state === "downloading" ? "files.importing" : `files.state.${state}`)}
    </Badge>
  );
}
