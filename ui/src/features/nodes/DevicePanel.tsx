import { Badge, Button, Group, Stack, Text, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChartLine } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeviceView, NodeView } from "@/api/generated/types.gen";
import { DeviceBar } from "@/components/DeviceBar";
import { formatBytes } from "@/lib/format";
import { barOf } from "@/lib/memory";
import { DeviceHistory } from "./DeviceHistory";
import { HolderTable } from "./HolderTable";
import classes from "./Nodes.module.css";
import { ProcessTable } from "./ProcessTable";

function Facts({ view: { device } }: { view: DeviceView }): ReactElement {
  const { t } = useTranslation();
  const { cores, threads, utilization, temperature_c: degrees, power_w: power, driver } = device;
  const facts = [
    typeof cores === "number" && t("nodes.cores", { cores, threads: threads ?? cores }),
    typeof driver === "string" && t("nodes.driver", { version: driver }),
    typeof utilization === "number" && t("nodes.utilization", { percent: Math.round(utilization) }),
    typeof degrees === "number" && t("nodes.degrees", { degrees: Math.round(degrees) }),
    typeof power === "number" && `${Math.round(power)} W`,
  ];
  return (
    <Text size="sm" c="dimmed">
      {facts.filter(Boolean).join(" · ")}
    </Text>
  );
}

interface FigureProps {
  name: "booked" | "inUse" | "foreign" | "free" | "total";
  bytes: number;
}

const HINTS = {
  booked: "nodes.bookedHint",
  inUse: "nodes.inUseHint",
  foreign: "memory.foreignHint",
  free: "nodes.freeHint",
  total: "nodes.totalHint",
} as const;

function Figure({ name, bytes }: FigureProps): ReactElement {
  const { t } = useTranslation();
  return (
    <Tooltip label={t(HINTS[name])} multiline maw={280}>
      <div className={classes.figure} tabIndex={0} role="note" data-figure={name}>
        <Text size="xs" c="dimmed" className={classes[name] ?? ""}>
          {t(`nodes.${name}`)}
        </Text>
        <Text size="sm" fw={600}>
          {formatBytes(bytes)}
        </Text>
      </div>
    </Tooltip>
  );
}

/** One device: what is booked on it and by whom, against what is measured. */
export function DevicePanel({ node, view }: { node: NodeView; view: DeviceView }): ReactElement {
  const { t } = useTranslation();
  const [history, toggle] = useDisclosure(false);
  const { device, claimed, used, foreign, free } = view;
  const name = device.kind === "cpu" ? t("placement.cpu") : t("memory.gpu", { index: device.index });
  const { stretches, over } = barOf(view);
  const label = t("nodes.chart", {
    device: name,
    node: node.hostname,
    booked: formatBytes(claimed),
    used: formatBytes(used),
    free: formatBytes(free),
    total: formatBytes(device.allocatable),
  });
  return (
    <Stack gap="xs" component="section" aria-label={`${name} ${device.name}`} data-device={device.id}>
      <div>
        <Group gap="xs">
          <Badge variant="default" tt="none">
            {name}
          </Badge>
          <Text fw={600} size="sm">
            {device.name}
          </Text>
        </Group>
        <Facts view={view} />
      </div>
      <DeviceBar label={label} stretches={stretches} over={over} used={used} />
      <div className={classes.figures}>
        <Figure name="booked" bytes={claimed} />
        <Figure name="inUse" bytes={used} />
        <Figure name="foreign" bytes={foreign} />
        <Figure name="free" bytes={free} />
        <Figure name="total" bytes={device.allocatable} />
      </div>
      <HolderTable holders={view.holders} />
      {(device.processes ?? []).length > 0 && <ProcessTable processes={device.processes ?? []} />}
      <Button
        size="compact-sm"
        variant="default"
        w="fit-content"
        leftSection={<IconChartLine size={14} />}
        aria-expanded={history}
        onClick={toggle.toggle}
      >
        {t("nodes.history")}
      </Button>
      {history && <DeviceHistory view={view} />}
    </Stack>
  );
}
