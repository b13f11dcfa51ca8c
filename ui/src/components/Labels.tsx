import { Badge } from "@mantine/core";
import { IconEye, IconLock } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

const KNOWN = ["vision", "audio", "tools", "thinking", "embedding", "rerank"] as const;
type Known = (typeof KNOWN)[number];

const isKnown = (capability: string): capability is Known => (KNOWN as readonly string[]).includes(capability);

/** What a model can do, and whether its owner lets only some have it. Plain chat goes without saying. */
export function Labels({ capabilities, gated }: { capabilities: readonly string[]; gated: boolean }): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      {capabilities.filter(isKnown).map((capability) => (
        <Badge
          key={capability}
          size="sm"
          variant="light"
          color={capability === "vision" ? "indigo" : "gray"}
          tt="none"
          leftSection={capability === "vision" ? <IconEye size={12} /> : undefined}
        >
          {t(`hub.capability.${capability}`)}
        </Badge>
      ))}
      {gated && (
        <Badge size="sm" variant="light" color="orange" tt="none" leftSection={<IconLock size={12} />}>
          {t("hub.gated")}
        </Badge>
      )}
    </>
  );
}
