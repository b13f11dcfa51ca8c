import { Group, Loader, Progress, Stack, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { UnderWayView } from "@/api/generated/types.gen";
import { formatWait } from "@/lib/download";
import { isStage } from "./stages";
import { progressOf } from "./timeline";

const TICK_MS = 1000;

/** Seconds since this was shown first: between two answers of the server the page counts on by itself. */
function useSecondsShown(): number {
  const [passed, setPassed] = useState(0);
  useEffect(() => {
    const came = performance.now();
    const timer = setInterval(() => {
      setPassed((performance.now() - came) / 1000);
    }, TICK_MS);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return passed;
}

/** What a start is waiting for, for how long by now, how long that takes usually, and when the start is likely over. */
export function UnderWay({ what }: { what: UnderWayView }): ReactElement {
  return <Counting key={`${what.stage} ${String(what.seconds)}`} what={what} />;
}

function Counting({ what }: { what: UnderWayView }): ReactElement {
  const { t } = useTranslation();
  const passed = useSecondsShown();
  const seconds = what.seconds + passed;
  const share = progressOf(what, seconds);
  const left = what.seconds_left === null ? null : what.seconds_left - passed;
  const stage = isStage(what.stage) ? t(`stageNow.${what.stage}`) : what.stage;
  const words = [
    t("replica.waited", { time: formatWait(seconds) }),
    what.usual_seconds !== null && t("replica.usual", { time: formatWait(what.usual_seconds) }),
    left !== null && (left > 0 ? t("replica.left", { time: formatWait(left) }) : t("replica.longer")),
  ].filter(Boolean);
  return (
    <Stack gap={4} data-under-way={what.stage} role="status" aria-live="off">
      <Group gap="xs" wrap="nowrap">
        <Loader size={12} aria-hidden />
        <Text size="sm">{stage}</Text>
        <Text size="xs" c="dimmed">
          {words.join(" · ")}
        </Text>
      </Group>
      {share !== null && <Progress value={share * 100} size="xs" aria-label={stage} />}
    </Stack>
  );
}
