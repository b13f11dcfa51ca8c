import {
  Anchor,
  Container,
  Group,
  Paper,
  SegmentedControl,
  Stack,
  Text,
  Title,
  useMantineColorScheme,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactElement, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { keysQuery, sessionQuery } from "@/api/queries";
import { SCHEMES } from "@/components/Preferences";
import { PageHead } from "@/components/PageHead";
import { SessionList } from "@/components/SessionList";
import type { Language } from "@/i18n";
import { currentLanguage, LANGUAGES, setLanguage } from "@/i18n";

function Part({ title, children }: { title: string; children: ReactNode }): ReactElement {
  return (
    <Paper p="md" component="section" aria-label={title}>
      <Title order={2} size="h5" mb="sm">
        {title}
      </Title>
      {children}
    </Paper>
  );
}

function Looks(): ReactElement {
  const { t } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const languages = (Object.keys(LANGUAGES) as Language[]).map((value) => ({ value, label: LANGUAGES[value] }));
  return (
    <Part title={t("profile.looks")}>
      <Group gap="xl">
        <SegmentedControl
          aria-label={t("shell.language")}
          data={languages}
          value={currentLanguage()}
          onChange={(language) => void setLanguage(language)}
        />
        <SegmentedControl
          aria-label={t("shell.colourScheme")}
          data={SCHEMES.map(({ value, label }) => ({ value, label: t(label) }))}
          value={colorScheme}
          onChange={setColorScheme}
        />
      </Group>
    </Part>
  );
}

function Keys({ username }: { username: string }): ReactElement {
  const { t } = useTranslation();
  const keys = useQuery(keysQuery);
  const mine = (keys.data ?? []).filter(({ owner }) => owner === username);
  return (
    <Part title={t("profile.keys")}>
      <Text size="sm" mb="xs">
        {mine.length === 0 ? t("keys.emptyTitle") : mine.map(({ name }) => name).join(" · ")}
      </Text>
      <Anchor size="sm" renderRoot={(props) => <Link to="/keys" {...props} />}>
        {t("profile.toKeys")}
      </Anchor>
    </Part>
  );
}

/** One's own account: who one is, the password, where one is logged in, keys, language and colours. */
export function ProfilePage(): ReactElement {
  const { t } = useTranslation();
  const session = useQuery(sessionQuery);
  const { username = "", role = "user" } = session.data ?? {};
  return (
    <Container size="md" py="lg">
      <PageHead title={t("profile.title")} />
      <Stack gap="sm">
        <Part title={t("profile.account")}>
          <Group justify="space-between">
            <div>
              <Text fw={600}>{username}</Text>
              <Text size="sm" c="dimmed">
                {t(`role.${role}`)}: {t(`users.roleHint.${role}`)}
              </Text>
            </div>
            <Anchor size="sm" renderRoot={(props) => <Link to="/password" {...props} />}>
              {t("shell.changePassword")}
            </Anchor>
          </Group>
        </Part>
        <Part title={t("sessions.title")}>
          <SessionList user={null} />
        </Part>
        <Keys username={username} />
        <Looks />
      </Stack>
    </Container>
  );
}
