import { Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { ApiError } from "@/api/client";
import { i18next } from "@/i18n";

export interface ErrorWords {
  message: string;
  remedy: string;
  requestId: string;
}

/** Any error in words, with what to do about it. */
export function errorWords(error: unknown): ErrorWords {
  if (error instanceof ApiError && error.code !== "offline") {
    const remedy = error.remedy || i18next.t("remedy.other");
    return { message: error.message, remedy, requestId: error.requestId };
  }
  if (error instanceof ApiError || error instanceof TypeError) {
    return { message: i18next.t("session.unreachable"), remedy: i18next.t("remedy.offline"), requestId: "" };
  }
  return { message: String(error), remedy: i18next.t("remedy.other"), requestId: "" };
}

export function notifyError(error: unknown): void {
  const { message, remedy, requestId } = errorWords(error);
  notifications.show({
    color: "red",
    icon: <IconAlertTriangle size={18} />,
    title: message || i18next.t("common.notSaved"),
    message: (
      <>
        <Text size="sm">{i18next.t("common.whatToDo", { remedy })}</Text>
        {requestId && (
          <Text size="xs" c="dimmed">
            {i18next.t("common.requestId", { id: requestId })}
          </Text>
        )}
      </>
    ),
    autoClose: 12_000,
  });
}

export function notifyDone(message: string): void {
  notifications.show({ color: "teal", icon: <IconCheck size={18} />, message, autoClose: 4000 });
}
