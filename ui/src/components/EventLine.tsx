import { Group, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { EventView } from "@/api/generated/types.gen";
import { currentLanguage } from "@/i18n";
import { eventDetail, eventKey } from "@/lib/events";
import { formatTime } from "@/lib/format";

/** What an event is called. */
export function useEventWords(): (event: Pick<EventView, "kind">) => string {
  const { t, i18n } = useTranslation();
  return (event) => {
    const key = eventKey(event, (candidate) => i18n.exists(candidate));
    return key ? t(key) : event.kind;
  };
}

/** One event in one line: when, what, about what, by whom. */
export function EventLine({ event }: { event: EventView }): ReactElement {
  const { t } = useTranslation();
  const describe = useEventWords();
  return (
    <Group gap="sm" align="baseline" wrap="wrap" mb={6}>
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
  );
}
