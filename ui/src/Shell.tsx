import { Badge, Group, Text, Tooltip } from "@mantine/core";
import {
  IconBooks,
  IconChartBar,
  IconCube,
  IconDatabase,
  IconKey,
  IconMessage2Question,
  IconServer2,
  IconSettings,
} from "@tabler/icons-react";
import { Link, useLocation } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { SessionView } from "@/api/generated/types.gen";
import { useLive } from "@/api/live";
import { Brand } from "@/components/Brand";
import { ColourMenu, LanguageMenu } from "@/components/Preferences";
import { mayAct } from "@/lib/roles";
import { UserMenu } from "@/features/session/UserMenu";
import classes from "./Shell.module.css";

const PAGES = [
  { to: "/playground", label: "shell.playground", Icon: IconMessage2Question, role: "user" },
  { to: "/catalog", label: "catalog.title", Icon: IconBooks, role: "operator" },
  { to: "/models", label: "shell.models", Icon: IconCube, role: "user" },
  { to: "/nodes", label: "nodes.title", Icon: IconServer2, role: "user" },
  { to: "/files", label: "files.title", Icon: IconDatabase, role: "operator" },
  { to: "/usage", label: "usage.title", Icon: IconChartBar, role: "user" },
  { to: "/keys", label: "shell.keys", Icon: IconKey, role: "user" },
  { to: "/settings", label: "shell.settings", Icon: IconSettings, role: "admin" },
] as const;

/** The frame of every page: navigation, language, colours, account, and whether the page is up to date. */
export function Shell({ session, children }: { session: SessionView; children: ReactNode }): ReactElement {
  const { t } = useTranslation();
  const live = useLive();
  const { pathname } = useLocation();
  const page = PAGES.find(({ to }) => pathname.startsWith(to));
  const title = page ? `${t(page.label)} · aiMindServe` : "aiMindServe";
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <div className={classes.shell}>
      <a className={classes.skip} href="#content">
        {t("shell.skip")}
      </a>
      <header className={classes.header}>
        <Brand />
        <Group gap={6} wrap="nowrap">
          <Tooltip label={live ? t("shell.liveHint") : t("shell.reconnectingHint")} multiline maw={280}>
            <Badge
              className={classes.live ?? ""}
              variant="dot"
              color={live ? "teal" : "orange"}
              tt="none"
              role="status"
              tabIndex={0}
            >
              {live ? t("shell.live") : t("shell.reconnecting")}
            </Badge>
          </Tooltip>
          <LanguageMenu />
          <ColourMenu />
          <UserMenu session={session} />
        </Group>
      </header>
      <nav className={classes.nav} aria-label={t("shell.navigation")}>
        {PAGES.filter(({ role }) => mayAct(session, role)).map(({ to, label, Icon }) => (
          <Link key={to} to={to} className={classes.link ?? ""} activeProps={{ "aria-current": "page" }}>
            <Icon size={18} aria-hidden />
            <Text size="sm" fw={500} span>
              {t(label)}
            </Text>
          </Link>
        ))}
      </nav>
      <main id="content" className={classes.main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}
