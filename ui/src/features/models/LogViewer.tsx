import { Button, Group, Select, Stack, Switch, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ErrorAlert } from "@/components/ErrorAlert";
import { formatBytes, formatNumber } from "@/lib/format";
import { saveText } from "@/lib/saveText";
import { LogLines } from "./LogLines";
import { LogSearch } from "./LogSearch";
import type { LogState } from "./log";
import { matchesIn, shownLines } from "./log";
import type { ReadLog } from "./useLog";
import { useLog, wholeLog } from "./useLog";

interface Props {
  replica: string;
  read?: ReadLog;
}

function AttemptSelect(props: { state: LogState; attempt: number | null; onChange: (attempt: number | null) => void }) {
  const { state, attempt, onChange } = props;
  const { t } = useTranslation();
  return (
    <Select
      size="xs"
      w={150}
      aria-label={t("log.attempt")}
      data={state.attempts.map((number) => ({ value: String(number), label: t("log.attemptN", { number }) }))}
      value={attempt?.toString() ?? null}
      allowDeselect={false}
      disabled={state.attempts.length < 2}
      onChange={(value) => {
        onChange(value === null ? null : Number(value));
      }}
    />
  );
}

function Foot({ state }: { state: LogState }): ReactElement {
  const { t } = useTranslation();
  const lines = state.lines.length + state.dropped;
  const words = [
    t("log.lines", { count: lines, shown: formatNumber(lines, 0) }),
    state.complete && t("log.ended"),
    state.skipped > 0 && t("log.skipped", { bytes: formatBytes(state.skipped) }),
    state.dropped > 0 && t("log.dropped", { lines: formatNumber(state.dropped, 0) }),
  ];
  return (
    <Text size="xs" c="dimmed">
      {words.filter(Boolean).join(" · ")}
    </Text>
  );
}

/** An engine's output, attempt by attempt. Scrolling up pauses following; the end or the switch resumes it. */
export function LogViewer({ replica, read }: Props): ReactElement {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<number | null>(null);
  const [follow, setFollow] = useState(true);
  const [search, setSearch] = useState({ word: "", at: 0 });
  const { state, error } = useLog(replica, chosen, read);
  const lines = useMemo(() => shownLines(state), [state]);
  const matches = useMemo(() => matchesIn(lines, search.word), [lines, search.word]);
  const attempt = chosen ?? state.attempts.at(-1) ?? null;
  const download = useMutation({
    mutationFn: async () => {
      saveText(`${replica}-${attempt ?? 0}.log`, await wholeLog(replica, attempt, read));
    },
  });
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <AttemptSelect state={state} attempt={attempt} onChange={setChosen} />
          <LogSearch
            word={search.word}
            count={matches.length}
            at={Math.min(search.at, Math.max(0, matches.length - 1))}
            onWord={(word) => {
              setSearch({ word, at: 0 });
              setFollow(false);
            }}
            onGo={(at) => {
              setSearch((old) => ({ ...old, at }));
              setFollow(false);
            }}
          />
        </Group>
        <Group gap="sm">
          <Switch
            size="sm"
            label={t("log.follow")}
            checked={follow}
            onChange={(event) => {
              setFollow(event.currentTarget.checked);
            }}
          />
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} />}
            loading={download.isPending}
            onClick={() => {
              download.mutate();
            }}
          >
            {t("log.download")}
          </Button>
        </Group>
      </Group>
      {error !== null && <ErrorAlert error={error} />}
      <LogLines
        label={t("log.region", { id: replica })}
        lines={lines}
        word={search.word}
        shown={matches[search.at] ?? null}
        follow={follow}
        onFollow={setFollow}
      />
      <Foot state={state} />
    </Stack>
  );
}
