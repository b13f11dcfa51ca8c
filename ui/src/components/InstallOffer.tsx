import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { sessionQuery } from "@/api/queries";
import { mayAct } from "@/lib/roles";

/** The way to install the engine that is missing, for those who may. */
export function InstallOffer({ offer }: { offer: string }): ReactElement | null {
  const { t } = useTranslation();
  const session = useQuery(sessionQuery);
  const navigate = useNavigate();
  if (!mayAct(session.data, "admin")) return null;
  return (
    <Button
      size="compact-sm"
      mt={6}
      leftSection={<IconDownload size={16} />}
      onClick={() => void navigate({ to: "/settings/engines", search: { install: offer } })}
    >
      {t("engines.installOffer", { name: offer })}
    </Button>
  );
}
