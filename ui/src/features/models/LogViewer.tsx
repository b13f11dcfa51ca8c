import { Group, Select, Stack, Switch, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { ErrorAlert } from "@/components/ErrorAlert";
import { formatBytes } from "@/lib/format";
import classes from "./LogViewer.module.css";
import type { ReadLog } from "./useLog";
import { useLog } from "./useLog";

interface Props {
  replica: string;
  read?: ReadLog;
}

/** Within this distance of the end a reader means to follow. */
const NEAR_END_PX = 24;

/** An engine's output, attempt by attempt. Scrolling up pauses following; the end or the switch resumes it. */
export function LogViewer({ replica, read }: Props): ReactElement {
  const { t } = useTranslation();
  const [attempt, setAttempt] = useState<number | null>(null);
  const [follow, setFollow] = useState(true);
  const frame = useRef<HTMLPreElement>(null);
  const { state, error } = useLog(replica, attempt, read);
  useLayoutEffect(() => {
    const element = frame.current;
    if (follow && element) element.scrollTop = element.scrollHeight;
  }, [state.text, follow]);
  const scrolled = (): void => {
    const element = frame.current;
    if (element) setFollow(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX);
  };
  const latest = state.attempts.at(-1) ?? null;
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Select
          size="xs"
          w={170}
          aria-label={t("log.attempt")}
          data={state.attempts.map((number) => ({ value: String(number), label: t("log.attemptN", { number }) }))}
          value={(attempt ?? latest)?.toString() ?? null}
          allowDeselect={false}
          disabled={state.attempts.length < 2}
          onChange={(value) => {
            setAttempt(value === null ? null : Number(value));
          }}
        />
        <Switch
          size="sm"
          label={t("log.follow")}
          checked={follow}
          onChange={(event) => {
            setFollow(event.currentTarget.checked);
          }}
        />
      </Group>
      {error !== null && <ErrorAlert error={error} />}
      {state.skipped > 0 && (
        <Text size="xs" c="dimmed">
          {t("log.skipped", { bytes: formatBytes(state.skipped) })}
        </Text>
      )}
      <pre
        ref={frame}
        className={classes.log}
        tabIndex={0}
        role="log"
        aria-label={t("log.region", { id: replica })}
        onScroll={scrolled}
      >
        {state.text || t("log.empty")}
      </pre>
      {state.complete && (
        <Text size="xs" c="dimmed">
          {t("log.ended")}
        </Text>
      )}
    </Stack>
  );
}
