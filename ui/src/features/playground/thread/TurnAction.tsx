import { ActionIcon, Tooltip } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

interface Props {
  label: string;
  icon: ReactNode;
  disabled?: boolean;
  onClick: () => void;
}

/** A small button below a turn. */
export function TurnAction({ label, icon, disabled = false, onClick }: Props): ReactElement {
  return (
    <Tooltip label={label}>
      <ActionIcon size="sm" variant="subtle" color="gray" aria-label={label} disabled={disabled} onClick={onClick}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}
