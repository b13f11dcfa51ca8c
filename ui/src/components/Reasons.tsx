import { Alert, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ReasonView } from "@/api/generated/types.gen";

interface Props {
  reasons: readonly ReasonView[];
  failed: boolean;
}

/** Good news among causes of a failure: it is being tried again. */
const HOPEFUL = "restarting";

/** Why something waits, failed or was refused, each with what to do. */
export function Reasons({ reasons, failed }: Props): ReactElement | null {
  const { t } = useTranslation();
  if (reasons.length === 0) return null;
  return (
    <Stack gap="xs">
      {reasons.map((reason) => {
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
          </Alert>
        );
      })}
    </Stack>
  );
}
