import { Badge, Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { BrowserSessionView } from "@/api/generated/types.gen";
import { people, sessionsQuery } from "@/api/people";
import { currentLanguage } from "@/i18n";
import { agentName } from "@/lib/agent";
import { formatTime } from "@/lib/format";
import { ErrorAlert } from "./ErrorAlert";

function Row({ session }: { session: BrowserSessionView }): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: () => people.endSession(session.id),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["sessions"] }),
  });
  const name = agentName(session.agent) || session.agent || t("sessions.unknown");
  const time = (at: number): string => formatTime(at, currentLanguage());
  return (
    <Group justify="space-between" wrap="nowrap" data-session={session.id}>
      <div>
        <Group gap="xs">
          <Text size="sm" fw={600}>
            {name}
          </Text>
          {session.current && (
            <Badge variant="light" color="teal" tt="none">
              {t("sessions.current")}
            </Badge>
          )}
        </Group>
        <Text size="xs" c="dimmed">
          {t("sessions.facts", {
            address: session.address || "–",
            login: time(session.created_at),
            seen: time(session.seen_at),
          })}
        </Text>
      </div>
      {!session.current && (
        <Button
          size="xs"
          variant="default"
          loading={end.isPending}
          aria-label={`${t("sessions.end")}: ${name}`}
          onClick={() => {
            end.mutate();
          }}
        >
          {t("sessions.end")}
        </Button>
      )}
    </Group>
  );
}

/** Where somebody (null: oneself) is logged in, each with a way to end it. */
export function SessionList({ user }: { user: string | null }): ReactElement {
  const { t } = useTranslation();
  const sessions = useQuery(sessionsQuery(user));
  if (sessions.isPending) return <Skeleton height={80} role="status" aria-label={t("common.loading")} />;
  if (sessions.error && !sessions.data) return <ErrorAlert error={sessions.error} />;
  if (sessions.data.length === 0) return <Text c="dimmed">{t("sessions.none")}</Text>;
  return (
    <Stack gap="sm">
      {sessions.data.map((session) => (
        <Row key={session.id} session={session} />
      ))}
    </Stack>
  );
}
