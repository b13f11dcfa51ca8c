import { Badge, Loader } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Phase } from "@/api/generated/types.gen";

const COLOURS: Record<Phase, string> = {
  pending: "yellow",
  placing: "blue",
  downloading: "blue",
  preparing: "blue",
  starting: "blue",
  ready: "teal",
  asleep: "indigo",
  stopping: "gray",
  stopped: "gray",
  failed: "red",
  unreachable: "orange",
};

const BUSY: readonly Phase[] = ["placing", "downloading", "preparing", "starting", "stopping"];

export function PhaseBadge({ phase }: { phase: Phase }): ReactElement {
  const { t } = useTranslation();
  const busy = BUSY.includes(phase) ? <Loader size={10} color="currentColor" aria-hidden /> : undefined;
  return (
    <Badge color={COLOURS[phase]} variant="light" leftSection={busy} data-phase={phase} tt="none">
      {t(`phase.${phase}`)}
    </Badge>
  );
}
