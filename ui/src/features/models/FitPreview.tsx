import { Alert, Button, Group, Loader, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconClock } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { AlternativeView, FitReport } from "@/api/generated/types.gen";
import { ErrorAlert } from "@/components/ErrorAlert";
import { Reasons } from "@/components/Reasons";
import { formatBytes } from "@/lib/format";
import { MemoryBar } from "./MemoryBar";
import { ParameterTable } from "./ParameterTable";
import type { Fit } from "./useFit";

interface Props {
  fit: Fit;
  onApply: (alternative: AlternativeView) => void;
}

const VERDICTS = {
  fits: { colour: "teal", Icon: IconCircleCheck },
  waits: { colour: "yellow", Icon: IconClock },
  no: { colour: "red", Icon: IconAlertTriangle },
} as const;

function Verdict({ report }: { report: FitReport }): ReactElement {
  const { t } = useTranslation();
  const { colour, Icon } = VERDICTS[report.verdict];
  const place = report.placement;
  return (
    <Alert
      color={colour}
      icon={<Icon size={18} />}
      title={t(`deploy.${report.verdict}`)}
      p="sm"
      role="status"
      data-verdict={report.verdict}
    >
      {place && (
        <Text size="sm">
          {t("deploy.memoryOf", {
            needed: formatBytes(place.bytes),
            free: formatBytes(place.free),
            device: place.device,
            node: place.node,
          })}
        </Text>
      )}
    </Alert>
  );
}

/** Whether it fits, before anything is started: verdict, memory, every parameter, and what would make it fit. */
export function FitPreview({ fit, onApply }: Props): ReactElement {
  const { t } = useTranslation();
  const { report, error, checking } = fit;
  if (error) return <ErrorAlert error={error} />;
  if (!report) {
    return (
      <Group gap="xs" c="dimmed">
        {checking && <Loader size="xs" />}
        <Text size="sm">{checking ? t("deploy.checking") : t("deploy.noChecks")}</Text>
      </Group>
    );
  }
  return (
    <Stack aria-busy={checking} opacity={checking ? 0.6 : 1}>
      <Verdict report={report} />
      <Reasons reasons={report.reasons} failed={report.verdict === "no"} />
      {report.alternatives.map((alternative) => (
        <Group key={alternative.message} justify="space-between" wrap="nowrap">
          <Text size="sm">{alternative.message}</Text>
          {Object.keys(alternative.patch).length > 0 && (
            <Button
              size="xs"
              variant="light"
              onClick={() => {
                onApply(alternative);
              }}
            >
              {t("deploy.applyAlternative")}
            </Button>
          )}
        </Group>
      ))}
      <MemoryBar items={report.memory} total={report.memory_total} />
      <ParameterTable parameters={report.parameters} />
    </Stack>
  );
}
