import { Alert, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ReasonView } from "@/api/generated/types.gen";
import { InstallOffer } from "./InstallOffer";

interface Props {
  reasons: readonly ReasonView[];
  failed: boolean;
  /** Codes that are left out, as something beside tells the same. */
  hidden?: readonly string[];
}

/** What the bar of a download tells better. */
export const TOLD_BY_BAR: readonly string[] = ["downloading", "download_waiting"];

/** Good news among causes of a failure: it is being tried again. */
const HOPEFUL = "restarting";

/** Why something waits, failed or was refused, each with what to do. */
export function Reasons({ reasons, failed, hidden = [] }: Props): ReactElement | null {
  const { t } = useTranslation();
  const shown = reasons.filter((reason) => !hidden.includes(reason.code));
  if (shown.length === 0) return null;
  return (
    <Stack gap="xs">
      {shown.map((reason) => {
        const bad = failed && reason.code !== HOPEFUL;
        return (
          <Alert
            key={reason.code + reason.message}
            color={bad ? "red" : "gray"}
            icon={bad ? <IconAlertTriangle size={18} /> : <IconInfoCircle size={18} />}
            title={reason.message}
            p="xs"
            role={bad ? "alert" : "note"}
            data-reason={reason.code}
          >
            {reason.remedy && <Text size="sm">{t("common.whatToDo", { remedy: reason.remedy })}</Text>}
            {typeof reason.params.offer === "string" && <InstallOffer offer={reason.params.offer} />}
          </Alert>
        );
      })}
    </Stack>
  );
}
