import { Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { EventView } from "@/api/generated/types.gen";
import { useEventWords } from "@/components/EventLine";
import { currentLanguage } from "@/i18n";
import { eventDetail, fieldChanges } from "@/lib/events";
import { formatTime } from "@/lib/format";
import classes from "./Audit.module.css";

/** One event: when, what, about what, by whom; and of changed fields what was before and after. */
export function AuditRow({ event }: { event: EventView }): ReactElement {
  const { t } = useTranslation();
  const describe = useEventWords();
  const changes = fieldChanges(event);
  return (
    <li className={classes.row} data-event={event.kind}>
      <Text size="sm" c="dimmed">
        {formatTime(event.at, currentLanguage())}
      </Text>
      <div>
        <Text size="sm" span fw={600}>
          {describe(event)}
        </Text>
        <Text size="sm" span c="dimmed">
          {[" " + event.subject, eventDetail(event)].filter((words) => words.trim()).join(" · ")}
        </Text>
      </div>
      <Text size="sm">{event.actor}</Text>
      {changes.length > 0 && (
        <dl className={classes.changes}>
          {changes.map(({ field, before, after }) => (
            <div key={field} style={{ display: "contents" }}>
              <dt>{field}</dt>
              <dd>
                <del className={classes.before} aria-label={t("audit.before", { value: before })}>
                  {before}
                </del>
                {" → "}
                <ins className={classes.after} aria-label={t("audit.after", { value: after })}>
                  {after}
                </ins>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}
