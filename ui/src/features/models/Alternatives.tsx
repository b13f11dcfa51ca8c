import { Button, Group, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { AlternativeView } from "@/api/generated/types.gen";
import { MakeRoom } from "./MakeRoom";
import { roomOf, wantsRoom } from "./room";

interface Props {
  alternatives: readonly AlternativeView[];
  /** Sets what the change says in this form. */
  onApply: (alternative: AlternativeView) => void;
}

interface RowProps {
  alternative: AlternativeView;
  open: boolean;
  onToggle: (open: boolean) => void;
  onApply: () => void;
}

function Row({ alternative, open, onToggle, onApply }: RowProps): ReactElement {
  const { t } = useTranslation();
  const elsewhere = wantsRoom(alternative);
  const here = Object.keys(alternative.patch).length > 0;
  return (
    <Stack gap="xs" component="li" data-alternative={alternative.kind}>
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text size="sm" miw={0}>
          {alternative.message}
        </Text>
        {(elsewhere || here) && (
          <Button
            size="xs"
            variant="light"
            flex="none"
            {...(elsewhere && { "aria-expanded": open, color: "orange" })}
            onClick={() => {
              if (elsewhere) onToggle(!open);
              else onApply();
            }}
          >
            {elsewhere ? t(alternative.stop.length > 0 ? "fit.stop" : "fit.change") : t("deploy.applyAlternative")}
          </Button>
        )}
      </Group>
      {elsewhere && open && (
        <MakeRoom
          room={roomOf(alternative)}
          onDone={() => {
            onToggle(false);
            if (here) onApply();
          }}
          onCancel={() => {
            onToggle(false);
          }}
        />
      )}
    </Stack>
  );
}

/** What would make it fit, each with the button that does it; what changes others is confirmed first. */
export function Alternatives({ alternatives, onApply }: Props): ReactElement | null {
  const { t } = useTranslation();
  const [open, setOpen] = useState<string | null>(null);
  if (alternatives.length === 0) return null;
  return (
    <Stack gap={6}>
      <Text fw={600} size="sm">
        {t("fit.alternatives")}
      </Text>
      <Stack gap={6} component="ul" m={0} p={0}>
        {alternatives.map((alternative) => (
          <Row
            key={alternative.message}
            alternative={alternative}
            open={open === alternative.message}
            onToggle={(wanted) => {
              setOpen(wanted ? alternative.message : null);
            }}
            onApply={() => {
              onApply(alternative);
            }}
          />
        ))}
      </Stack>
    </Stack>
  );
}
