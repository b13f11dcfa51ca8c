import { ActionIcon, Badge, Group, Text, Tooltip } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { Link, useLocation } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import { lazy, Suspense, useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { SessionView } from "@/api/generated/types.gen";
import { useLive } from "@/api/live";
import { Brand } from "@/components/Brand";
import { ColourMenu, LanguageMenu } from "@/components/Preferences";
import { UserMenu } from "@/features/session/UserMenu";
import { mayAct } from "@/lib/roles";
import { PAGES, PROFILE } from "./pages";
import classes from "./Shell.module.css";

const Palette = lazy(() => import("./Palette").then(({ Palette: palette }) => ({ default: palette })));

/** The frame of every page: navigation, language, colours, account, and whether the page is up to date. */
export function Shell({ session, children }: { session: SessionView; children: ReactNode }): ReactElement {
  const { t } = useTranslation();
  const live = useLive();
  const { pathname } = useLocation();
  const [searching, search] = useDisclosure(false);
  useHotkeys([["mod+K", search.open]], []);
  const page = [...PAGES, PROFILE].find(({ to }) => pathname.startsWith(to));
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
        <div className={classes.brand}>
          <Brand />
        </div>
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
          <Tooltip label={t("palette.open")}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={t("palette.open")}
              aria-keyshortcuts="Control+K"
              onClick={search.open}
            >
              <IconSearch size={18} />
            </ActionIcon>
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
      {searching && (
        <Suspense>
          <Palette session={session} onClose={search.close} />
        </Suspense>
      )}
    </div>
  );
}
