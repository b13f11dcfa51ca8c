import { Tabs } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

type Part = "/settings" | "/settings/engines";

/** The parts of the settings. */
export function SettingsTabs({ active }: { active: Part }): ReactElement {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <Tabs
      value={active}
      mb="md"
      onChange={(part) => void navigate({ to: part === "/settings/engines" ? "/settings/engines" : "/settings" })}
    >
      <Tabs.List aria-label={t("shell.settings")}>
        <Tabs.Tab value="/settings">{t("settings.hubs")}</Tabs.Tab>
        <Tabs.Tab value="/settings/engines">{t("engines.title")}</Tabs.Tab>
      </Tabs.List>
    </Tabs>
  );
}
