import { Alert, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ReasonView } from "@/api/generated/types.gen";

interface Props {
  reasons: readonly ReasonView[];
  failed: boolean;
}

/** Why something waits, failed or was refused, each with what to do. */
export function Reasons({ reasons, failed }: Props): ReactElement | null {
  const { t } = useTranslation();
  if (reasons.length === 0) return null;
  const Icon = failed ? IconAlertTriangle : IconInfoCircle;
  return (
    <Stack gap="xs">
      {reasons.map((reason) => (
        <Alert
          key={reason.code + reason.message}
          color={failed ? "red" : "gray"}
          icon={<Icon size={18} />}
          title={reason.message}
          p="xs"
          role={failed ? "alert" : "note"}
          data-reason={reason.code}
        >
          {reason.remedy && <Text size="sm">{t("common.whatToDo", { remedy: reason.remedy })}</Text>}
        </Alert>
      ))}
    </Stack>
  );
}
