import { Alert } from "@mantine/core";
import { IconBooks } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { catalogCardQuery } from "@/api/catalog";
import type { Hub } from "@/api/hub";
import { currentLanguage } from "@/i18n";

const route = getRouteApi("/models");

/** Why the catalog chose what the form is filled with; nothing when it was chosen otherwise. */
export function CatalogPick({ hub }: { hub: Hub }): ReactElement | null {
  const { t } = useTranslation();
  const { family } = route.useSearch();
  const query = useQuery({ ...catalogCardQuery(family ?? "", hub, currentLanguage()), enabled: family !== undefined });
  const card = query.data;
  if (!card || !family) return null;
  return (
    <Alert
      variant="light"
      icon={<IconBooks size={18} />}
      title={t("catalog.picked", { title: card.title })}
      data-family={family}
    >
      {card.why} {card.notes}
    </Alert>
  );
}
