import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Hub } from "@/api/hub";
import { HUB_NAMES } from "@/lib/hubs";
import { Confirm } from "./Confirm";
import { useRemoveToken } from "./useSettings";

export function RemoveToken({ hub, onClose }: { hub: Hub; onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  const remove = useRemoveToken(hub, onClose);
  return (
    <Confirm
      title={t("settings.removeToken", { hub: HUB_NAMES[hub] })}
      what={t("settings.removeTokenWhat")}
      busy={remove.isPending}
      onYes={() => {
        remove.mutate();
      }}
      onClose={onClose}
    />
  );
}
