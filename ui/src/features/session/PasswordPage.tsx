import { Container, Paper, Text, Title } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { FrontPage } from "./FrontPage";
import { PasswordForm } from "./PasswordForm";

/** Shown instead of everything else while the initial password is in force. */
export function PasswordForced(): ReactElement {
  const { t } = useTranslation();
  return (
    <FrontPage subtitle={t("session.changeForcedHint")}>
      <Title order={1} size="h3" mb="sm">
        {t("session.changeForced")}
      </Title>
      <PasswordForm />
    </FrontPage>
  );
}

export function PasswordPage(): ReactElement {
  const { t } = useTranslation();
  const navigate = useNavigate();
  return (
    <Container size={480} py="lg">
      <Title order={1} size="h2" mb="md">
        {t("shell.changePassword")}
      </Title>
      <Paper p="lg">
        <Text size="sm" c="dimmed" mb="md">
          {t("session.changeHint")}
        </Text>
        <PasswordForm onDone={() => void navigate({ to: "/playground" })} />
      </Paper>
    </Container>
  );
}
