import { Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { eventsQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { EventLine } from "@/components/EventLine";

/** What happened to a deployment, the newest first. */
export function EventList({ deployment }: { deployment: string }): ReactElement {
  const { t } = useTranslation();
  const events = useQuery(eventsQuery(deployment));
  if (events.isPending) return <Skeleton height={120} role="status" aria-label={t("common.loading")} />;
  if (events.error && !events.data) return <ErrorAlert error={events.error} onRetry={() => void events.refetch()} />;
  const newestFirst = [...events.data].sort((a, b) => b.id - a.id);
  if (newestFirst.length === 0) return <Text c="dimmed">{t("events.none")}</Text>;
  return (
    <div>
      {newestFirst.map((event) => (
        <EventLine key={event.id} event={event} />
      ))}
    </div>
  );
}
