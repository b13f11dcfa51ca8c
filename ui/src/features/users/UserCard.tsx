import { ActionIcon, Badge, Group, Menu, Paper, Stack, Text } from "@mantine/core";
import {
  IconDevices,
  IconDots,
  IconPassword,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
} from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { UserView } from "@/api/generated/types.gen";
import { people, usersQuery } from "@/api/people";
import { currentLanguage } from "@/i18n";
import { formatNumber, formatTime } from "@/lib/format";
import { LIMITS } from "@/lib/limits";

export type UserAction = "edit" | "reset" | "sessions" | "delete";

const ACTIONS = [
  { action: "edit", label: "users.edit", Icon: IconPencil },
  { action: "reset", label: "users.reset", Icon: IconPassword },
  { action: "sessions", label: "sessions.title", Icon: IconDevices },
] as const;

function useFacts(user: UserView): string[] {
  const { t } = useTranslation();
  const last = user.last_login_at === null ? t("keys.never") : formatTime(user.last_login_at, currentLanguage());
  const limits = LIMITS.flatMap((limit) => {
    const value = user.limits[limit];
    return value === null ? [] : [`${t(`keys.limit.${limit}`)}: ${formatNumber(value, 0)}`];
  });
  const facts = [
    `${t("users.lastLogin")}: ${last}`,
    t("users.usedThisMonth", { tokens: formatNumber(user.tokens_this_month, 0) }),
  ];
  return [facts.join(" · "), ...(limits.length > 0 ? [limits.join(" · ")] : [])];
}

function Badges({ user, isSelf }: { user: UserView; isSelf: boolean }): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <Badge variant="light" color={user.role === "admin" ? "indigo" : "gray"} tt="none" data-role={user.role}>
        {t(`role.${user.role}`)}
      </Badge>
      {isSelf && (
        <Badge variant="light" color="teal" tt="none">
          {t("users.you")}
        </Badge>
      )}
      {user.disabled && (
        <Badge variant="light" color="orange" tt="none">
          {t("keys.disabled")}
        </Badge>
      )}
      {user.must_change_password && (
        <Badge variant="light" color="yellow" tt="none">
          {t("users.firstPassword")}
        </Badge>
      )}
    </>
  );
}

interface Props {
  user: UserView;
  isSelf: boolean;
  onChoose: (action: UserAction) => void;
}

export function UserCard({ user, isSelf, onChoose }: Props): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const facts = useFacts(user);
  const toggle = useMutation({
    mutationFn: () => people.edit(user.id, { disabled: !user.disabled }),
    onSuccess: () => queries.invalidateQueries(usersQuery),
  });
  return (
    <Paper p="md" component="article" aria-label={user.username}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Stack gap={4}>
          <Group gap="xs">
            <Text fw={600}>{user.username}</Text>
            <Badges user={user} isSelf={isSelf} />
          </Group>
          {facts.map((line) => (
            <Text key={line} size="sm" c="dimmed">
              {line}
            </Text>
          ))}
        </Stack>
        <Menu>
          <Menu.Target>
            <ActionIcon variant="default" size={30} aria-label={t("action.more", { name: user.username })}>
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {ACTIONS.map(({ action, label, Icon }) => (
              <Menu.Item
                key={action}
                leftSection={<Icon size={16} />}
                onClick={() => {
                  onChoose(action);
                }}
              >
                {t(label)}
              </Menu.Item>
            ))}
            <Menu.Item
              leftSection={user.disabled ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />}
              disabled={isSelf}
              onClick={() => {
                toggle.mutate();
              }}
            >
              {user.disabled ? t("keys.enable") : t("keys.disable")}
            </Menu.Item>
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} />}
              disabled={isSelf}
              onClick={() => {
                onChoose("delete");
              }}
            >
              {t("common.delete")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
    </Paper>
  );
}
