import { Alert, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import { sessionQuery } from "@/api/queries";
import { CodeBlock } from "@/components/CodeBlock";
import { ErrorAlert } from "@/components/ErrorAlert";
import { FrontPage } from "./FrontPage";

/** Where a stranger learns how to get in, as long as the initial password lies in its file. */
function FirstLoginHint(): ReactElement | null {
  const { t } = useTranslation();
  const hint = useQuery({ queryKey: ["login-hint"], queryFn: api.loginHint, staleTime: Infinity });
  const file = hint.data?.initial_password_file;
  if (!file) return null;
  return (
    <Alert role="note" icon={<IconInfoCircle size={18} />} p="sm">
      <Text size="sm" mb={6}>
        {t("session.hint")}
      </Text>
      <CodeBlock text={`cat ${file}`} />
    </Alert>
  );
}

export function LoginPage(): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [username, setUsername] = useState("admin");
  const [password, setPassword] = useState("");
  const login = useMutation({
    mutationFn: () => api.login({ username, password }),
    meta: { quiet: true },
    onSuccess: (session) => {
      queries.setQueryData(sessionQuery.queryKey, session);
    },
  });
  return (
    <FrontPage subtitle={t("shell.tagline")}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          login.mutate();
        }}
      >
        <Stack>
          {login.error && <ErrorAlert error={login.error} />}
          <TextInput
            label={t("session.username")}
            autoComplete="username"
            value={username}
            onChange={(event) => {
              setUsername(event.currentTarget.value);
            }}
          />
          <PasswordInput
            label={t("session.password")}
            autoComplete="current-password"
            autoFocus
            value={password}
            onChange={(event) => {
              setPassword(event.currentTarget.value);
            }}
          />
          <Button type="submit" loading={login.isPending} disabled={!username || !password}>
            {t("session.logIn")}
          </Button>
          <FirstLoginHint />
        </Stack>
      </form>
    </FrontPage>
  );
}
