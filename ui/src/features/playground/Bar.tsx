import { Group, Tabs, Title } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Playground.module.css";
import { TABS } from "./search";

const route = getRouteApi("/playground");

/** The head of the page: what is done here, and at the right the tab's own buttons; the model's drop-down comes last, at
 * the top right. */
export function Bar({ children }: { children: ReactNode }): ReactElement {
  const { t } = useTranslation();
  const { tab = "chat" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Group className={classes.bar ?? ""} justify="space-between" wrap="wrap" gap="xs">
      <Group gap="md">
        <Title order={2} size="h3">
          {t("playground.title")}
        </Title>
        <Tabs
          variant="pills"
          value={tab}
          onChange={(value) => {
            const chosen = TABS.find((name) => name === value);
            if (chosen)
              void navigate({
                search: ({ tab: _old, ...rest }) => ({ ...rest, ...(chosen !== "chat" && { tab: chosen }) }),
              });
          }}
        >
          <Tabs.List aria-label={t("playground.title")}>
            {TABS.map((name) => (
              <Tabs.Tab key={name} value={name} className={classes.tab ?? ""}>
                {t(`playground.tabs.${name}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </Tabs>
      </Group>
      <Group gap="xs" ml="auto" justify="flex-end">
        {children}
      </Group>
    </Group>
  );
}
