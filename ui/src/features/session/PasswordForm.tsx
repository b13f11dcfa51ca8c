import { Button, List, PasswordInput, Stack, ThemeIcon } from "@mantine/core";
import { IconCheck, IconMinus } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import { sessionQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { notifyDone } from "@/components/notify";
import type { RuleState } from "./rules";
import { checkPassword, MINIMUM_LENGTH } from "./rules";

function Rule({ met, text }: { met: boolean; text: string }): ReactElement {
  return (
    <List.Item
      icon={
        <ThemeIcon size={18} radius="xl" variant="light" color={met ? "teal" : "gray"}>
          {met ? <IconCheck size={12} /> : <IconMinus size={12} />}
        </ThemeIcon>
      }
      c={met ? "teal" : "dimmed"}
    >
      {text}
    </List.Item>
  );
}

function Rules({ rules }: { rules: RuleState }): ReactElement {
  const { t } = useTranslation();
  return (
    <List size="sm" spacing={4} center>
      <Rule met={rules.length} text={t("session.ruleLength", { minimum: MINIMUM_LENGTH })} />
      <Rule met={rules.different} text={t("session.ruleDifferent")} />
      <Rule met={rules.confirmed} text={t("session.ruleConfirmed")} />
      <Rule met={false} text={t("session.ruleUncommon")} />
    </List>
  );
}

/** The three entries of a password change with its rules, ticked off while typing. */
export function PasswordForm({ onDone }: { onDone?: () => void }): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [entry, setEntry] = useState({ current: "", next: "", confirm: "" });
  const session = useQuery(sessionQuery);
  const rules = checkPassword(entry);
  const change = useMutation({
    mutationFn: () => api.changePassword({ current: entry.current, new: entry.next }),
    meta: { quiet: true },
    onSuccess: async () => {
      await queries.invalidateQueries();
      notifyDone(t("session.changed"));
      onDone?.();
    },
  });
  const field = (name: keyof typeof entry) => ({
    value: entry[name],
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget;
      setEntry((old) => ({ ...old, [name]: value }));
    },
  });
  const differs = entry.confirm !== "" && !rules.confirmed;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate();
      }}
    >
      <Stack>
        {change.error && <ErrorAlert error={change.error} />}
        <input type="text" autoComplete="username" value={session.data?.username ?? ""} readOnly hidden />
        <PasswordInput label={t("session.current")} autoComplete="current-password" autoFocus {...field("current")} />
        <PasswordInput label={t("session.next")} autoComplete="new-password" {...field("next")} />
        <PasswordInput
          label={t("session.confirm")}
          autoComplete="new-password"
          error={differs && t("session.badConfirmation")}
          {...field("confirm")}
        />
        <Rules rules={rules} />
        <Button
          type="submit"
          loading={change.isPending}
          disabled={!entry.current || !rules.length || !rules.different || !rules.confirmed}
        >
          {t("session.setPassword")}
        </Button>
      </Stack>
    </form>
  );
}
