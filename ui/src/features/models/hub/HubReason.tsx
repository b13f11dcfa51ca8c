import { Alert, Anchor, Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconExternalLink, IconInfoCircle } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ReasonView } from "@/api/generated/types.gen";
import { wantsLicence, wantsSettings } from "./rules";

interface Props {
  reason: ReasonView;
  /** The repository's page, where there is one to visit. */
  page?: string;
  /** Something to know, nothing to mend. */
  note?: boolean;
}

/** Why a hub or a repository does not give what is wanted, with the way to where it is mended. */
export function HubReason({ reason, page, note = false }: Props): ReactElement {
  const { t } = useTranslation();
  const { code, message, remedy } = reason;
  const licence = page !== undefined && wantsLicence(code);
  const settings = !note && wantsSettings(code);
  return (
    <Alert
      color={note ? "gray" : "orange"}
      icon={note ? <IconInfoCircle size={18} /> : <IconAlertTriangle size={18} />}
      title={message}
      p="sm"
      role={note ? "note" : "alert"}
      data-reason={code}
    >
      {remedy && <Text size="sm">{t("common.whatToDo", { remedy })}</Text>}
      {(licence || settings) && (
        <Group gap="md" mt={4}>
          {licence && (
            <Anchor href={page} target="_blank" rel="noopener noreferrer" size="sm">
              {t("hub.licencePage")} <IconExternalLink size={14} aria-hidden />
            </Anchor>
          )}
          {settings && (
            <Anchor component={Link} to="/settings" size="sm">
              {t("hub.openSettings")}
            </Anchor>
          )}
        </Group>
      )}
    </Alert>
  );
}
