import { IconError404 } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { EmptyState } from "@/components/EmptyState";

export function NotFound(): ReactElement {
  const { t } = useTranslation();
  return <EmptyState icon={<IconError404 size={32} />} title={t("shell.notFound")} hint={t("shell.notFoundHint")} />;
}
