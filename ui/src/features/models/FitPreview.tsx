import { Alert, Group, Loader, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconClock } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { AlternativeView, FitReport } from "@/api/generated/types.gen";
import { ErrorAlert } from "@/components/ErrorAlert";
import { Reasons } from "@/components/Reasons";
import { formatBytes } from "@/lib/format";
import { Alternatives } from "./Alternatives";
import { FitBars } from "./FitBars";
import { MemoryItems } from "./MemoryItems";
import { NodeRefusals } from "./NodeRefusals";
import { ParameterTable } from "./ParameterTable";
import type { Fit } from "./useFit";

interface Props {
  fit: Fit;
  onApply: (alternative: AlternativeView) => void;
  /** The arguments that the person gave, which the table changes. */
  given: readonly string[];
  onGiven: (given: string[]) => void;
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
      {report.engine_why && (
        <Text size="sm" c="dimmed" data-engine-why>
          {report.engine_why}
        </Text>
      )}
    </Alert>
  );
}

/** Whether it fits, before anything is started: verdict, what would make it fit, memory, every parameter. */
export function FitPreview({ fit, onApply, given, onGiven }: Props): ReactElement {
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
    <Stack aria-busy={checking} data-checking={checking}>
      <Verdict report={report} />
      <Reasons reasons={report.reasons} failed={report.verdict === "no"} />
      <Reasons reasons={report.notes} failed={false} />
      <Alternatives alternatives={report.alternatives} onApply={onApply} />
      <FitBars report={report} />
      <NodeRefusals refusals={report.refusals} />
      <MemoryItems
        items={report.memory}
        total={report.memory_total}
        high={report.memory_high}
        gpus={report.gpus}
        certain={report.certain}
      />
      <ParameterTable parameters={report.parameters} given={given} onChange={onGiven} reasons={report.reasons} />
    </Stack>
  );
}
