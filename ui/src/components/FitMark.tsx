import { Badge } from "@mantine/core";
import { IconAlertTriangle, IconBan, IconCircleCheck, IconClock, IconDownload } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { FitMark as Mark } from "@/api/hub";

const LOOKS = {
  fits: { colour: "teal", Icon: IconCircleCheck },
  waits: { colour: "yellow", Icon: IconClock },
  no: { colour: "red", Icon: IconAlertTriangle },
  engine: { colour: "orange", Icon: IconDownload },
  unsupported: { colour: "red", Icon: IconBan },
} as const;

/** Whether a model would run on these machines; nothing while it is not known. */
export function FitMark({ mark }: { mark: Mark }): ReactElement | null {
  const { t } = useTranslation();
  if (mark === "unknown") return null;
  const { colour, Icon } = LOOKS[mark];
  return (
    <Badge size="sm" variant="light" color={colour} tt="none" leftSection={<Icon size={12} />} data-fit={mark}>
      {t(`hub.fit.${mark}`)}
    </Badge>
  );
}
