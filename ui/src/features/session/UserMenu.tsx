import { ActionIcon, Menu } from "@mantine/core";
import { IconLogout, IconPassword, IconUser, IconUserCircle } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { SessionView } from "@/api/generated/types.gen";
import { sessionQuery } from "@/api/queries";

export function UserMenu({ session }: { session: SessionView }): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const logout = useMutation({
    mutationFn: api.logout,
    onSuccess: () => {
      queries.setQueryData(sessionQuery.queryKey, null);
      queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
    },
  });
  return (
    <Menu width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("shell.account")}>
          <IconUserCircle size={20} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.username}
          {` · ${t(`role.${session.role}`)}`}
        </Menu.Label>
        <Menu.Item leftSection={<IconUser size={16} />} onClick={() => void navigate({ to: "/profile" })}>
          {t("profile.title")}
        </Menu.Item>
        <Menu.Item leftSection={<IconPassword size={16} />} onClick={() => void navigate({ to: "/password" })}>
          {t("shell.changePassword")}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconLogout size={16} />}
          onClick={() => {
            logout.mutate();
          }}
        >
          {t("shell.logOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
