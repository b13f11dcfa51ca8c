import { Group, Loader, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { EventView } from "@/api/generated/types.gen";
import { eventsQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { currentLanguage } from "@/i18n";
import { formatTime } from "@/lib/format";
import { eventDetail, eventKey } from "./events";

/** What happened to a deployment, the newest first. */
export function EventList({ deployment }: { deployment: string }): ReactElement {
  const { t, i18n } = useTranslation();
  const describe = (event: EventView): string => {
    const key = eventKey(event, (candidate) => i18n.exists(candidate));
    return key ? t(key) : event.kind;
  };
  const events = useQuery(eventsQuery(deployment));
  if (events.isPending) return <Loader size="sm" aria-label={t("common.loading")} />;
  if (events.error && !events.data) return <ErrorAlert error={events.error} onRetry={() => void events.refetch()} />;
  const newestFirst = [...events.data].sort((a, b) => b.id - a.id);
  if (newestFirst.length === 0) return <Text c="dimmed">{t("events.none")}</Text>;
  return (
    <Stack gap={6}>
      {newestFirst.map((event) => (
        <Group key={event.id} gap="sm" align="baseline" wrap="wrap">
          <Text size="xs" c="dimmed" miw={170}>
            {formatTime(event.at, currentLanguage())}
          </Text>
          <Text size="sm" fw={500}>
            {describe(event)}
          </Text>
          <Text size="sm" c="dimmed">
            {[event.subject, t("events.by", { actor: event.actor }), eventDetail(event)].filter(Boolean).join(" · ")}
          </Text>
        </Group>
      ))}
    </Stack>
  );
}
