import { ActionIcon, Badge, Checkbox, Collapse, Group, Paper, Stack, Text } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeploymentView, ReasonView } from "@/api/generated/types.gen";
import { PhaseBadge } from "@/components/PhaseBadge";
import { Reasons, TOLD_BY_BAR } from "@/components/Reasons";
import { TransferBar } from "@/components/TransferBar";
import { movingDownload } from "@/lib/download";
import { answers } from "@/lib/models";
import { DeploymentActions } from "./DeploymentActions";
import classes from "./DeploymentCard.module.css";
import { DeploymentDetails } from "./DeploymentDetails";
import { DoctorPanel } from "./DoctorPanel";
import { SightBadge } from "./SightProof";
import { UnderWay } from "./UnderWay";
import { sourceText } from "./spec";

const route = getRouteApi("/models");
const ENGINES = { "llama.cpp": "llama-box / llama.cpp", vllm: "vLLM" } as const;

function Facts({ deployment }: { deployment: DeploymentView }): ReactElement {
  const { t } = useTranslation();
  const engine = deployment.plan?.engine ?? deployment.spec.engine;
  const name = engine === "llama.cpp" || engine === "vllm" ? ENGINES[engine] : t("models.engineAuto");
  const facts = [
    sourceText(deployment.spec.source),
    name,
    deployment.quantization,
    deployment.context_length && t("models.context", { tokens: deployment.context_length }),
  ].filter(Boolean);
  return (
    <Text size="sm" c="dimmed" className={classes.facts ?? ""}>
      {facts.join(" · ")}
    </Text>
  );
}

/** What was decided after a start without enough memory concerns the deployment and stays worth knowing. */
const isLesson = (reason: ReasonView): boolean => reason.code.startsWith("memory_") && !WAITING.has(reason.code);
const WAITING = new Set(["memory_insufficient", "memory_claimed", "memory_in_use"]);

interface ReasonProps {
  deployment: DeploymentView;
  /** The replicas below tell the rest. */
  toldBelow: boolean;
}

/** Names reasons only where something is wrong or awaited: a stopped model was stopped by a person. */
function CardReasons({ deployment, toldBelow }: ReasonProps): ReactElement | null {
  const { phase } = deployment;
  const whole = phase === "ready" && deployment.replicas_ready >= deployment.replicas_target;
  const reasons = whole || toldBelow ? deployment.reasons.filter(isLesson) : deployment.reasons;
  if (reasons.length === 0 || phase === "stopped" || phase === "stopping") return null;
  return (
    <div className={classes.reasons}>
      <Reasons reasons={reasons} failed={phase === "failed" || phase === "unreachable"} hidden={TOLD_BY_BAR} />
    </div>
  );
}

/** What the first answer waits for: the files, then the stages of the engine's start. */
function CardProgress({ deployment }: { deployment: DeploymentView }): ReactElement | null {
  const download = movingDownload(deployment.replicas);
  const what = deployment.replicas.find((replica) => replica.under_way)?.under_way;
  if (!download && !what) return null;
  return (
    <div className={classes.reasons}>
      {download && <TransferBar progress={download} label={deployment.name} moving />}
      {what && !download && <UnderWay what={what} />}
    </div>
  );
}

/** The weakest proof of sight of those replicas that were asked. */
function CardSight({ deployment }: { deployment: DeploymentView }): ReactElement | null {
  const sights = deployment.replicas.flatMap((replica) => replica.sight ?? []);
  const sight = sights.find((one) => one.outcome !== "passed") ?? sights[0];
  return sight ? <SightBadge sight={sight} /> : null;
}

/** The box by which a model is chosen among several. */
function Choice({ name, chosen, onChoose }: Omit<Props, "deployment"> & { name: string }): ReactElement | null {
  const { t } = useTranslation();
  if (chosen === null) return null;
  return <Checkbox checked={chosen} aria-label={t("bulk.choose", { name })} onChange={onChoose} />;
}

interface Props {
  deployment: DeploymentView;
  /** Whether it is among those that are chosen; null while nothing is chosen from. */
  chosen: boolean | null;
  onChoose: () => void;
}

export function DeploymentCard({ deployment, chosen, onChoose }: Props): ReactElement {
  const { t } = useTranslation();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const open = search.open === deployment.name;
  const { name, phase } = deployment;
  const toldBelow = open && (search.tab ?? "replicas") === "replicas" && deployment.replicas.length > 0;
  const toggle = (): void => {
    void navigate({ search: open ? {} : { open: name }, replace: true });
  };
  return (
    <Paper component="article" aria-label={name} data-deployment={name}>
      <Group p="md" gap="sm" wrap="wrap" align="center">
        <Choice name={name} chosen={chosen} onChoose={onChoose} />
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-expanded={open}
          aria-label={t("models.open", { name })}
          onClick={toggle}
        >
          <IconChevronRight size={18} className={open ? classes.open : classes.closed} />
        </ActionIcon>
        <Stack gap={2} className={classes.title ?? ""}>
          <Group gap="xs">
            <Text fw={600} className={classes.name ?? ""}>
              {name}
            </Text>
            {deployment.capabilities.includes("vision") && (
              <Badge variant="outline" size="sm" tt="none">
                {t("models.vision")}
              </Badge>
            )}
            <CardSight deployment={deployment} />
          </Group>
          <Facts deployment={deployment} />
        </Stack>
        <Stack gap={2} align="flex-end">
          <PhaseBadge phase={phase} />
          <Text size="xs" c="dimmed">
            {t("models.readyOf", { ready: deployment.replicas_ready, wanted: deployment.replicas_target })}
          </Text>
        </Stack>
        <DeploymentActions deployment={deployment} />
      </Group>
      {!toldBelow && <CardProgress deployment={deployment} />}
      <CardReasons deployment={deployment} toldBelow={toldBelow} />
      <DoctorPanel deployment={deployment} />
      {answers(deployment) && (
        <Link to="/playground" search={{ model: name }} className={classes.try ?? ""}>
          {t("models.openPlayground")}
        </Link>
      )}
      <Collapse expanded={open}>{open && <DeploymentDetails deployment={deployment} />}</Collapse>
    </Paper>
  );
}
