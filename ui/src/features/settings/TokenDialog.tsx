import { Anchor, Button, Group, Modal, PasswordInput, Stack } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Hub } from "@/api/hub";
import { HUB_NAMES, TOKEN_PAGES } from "@/lib/hubs";
import { useStoreToken } from "./useSettings";

export function TokenDialog({ hub, onClose }: { hub: Hub; onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  const [token, setToken] = useState("");
  const store = useStoreToken(hub, onClose);
  const text = token.trim();
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("settings.replaceToken", { hub: HUB_NAMES[hub] })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          store.mutate(text);
        }}
      >
        <Stack>
          <PasswordInput
            label={t("settings.token")}
            description={t("settings.tokenHint")}
            placeholder={hub === "hf" ? "hf_…" : ""}
            required
            maxLength={512}
            autoComplete="off"
            data-autofocus
            value={token}
            onChange={(event) => {
              setToken(event.currentTarget.value);
            }}
          />
          <Anchor href={TOKEN_PAGES[hub]} target="_blank" rel="noopener noreferrer" size="sm">
            {t("settings.tokenMade", { hub: HUB_NAMES[hub] })} <IconExternalLink size={14} aria-hidden />
          </Anchor>
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={store.isPending} disabled={!/^[\x21-\x7e]+$/.test(text)}>
              {t("settings.saveToken")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
