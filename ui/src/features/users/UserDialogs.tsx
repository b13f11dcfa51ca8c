import { Button, Group, List, Modal, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { UserView } from "@/api/generated/types.gen";
import { people, usersQuery } from "@/api/people";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { SessionList } from "@/components/SessionList";
import { makePassword } from "@/lib/password";
import { FirstPassword } from "./FirstPassword";

interface Props {
  user: UserView;
  onClose: () => void;
}

export function DeleteUserDialog({ user, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const name = user.username;
  const remove = useMutation({
    mutationFn: () => people.remove(user.id),
    onSuccess: async () => {
      await queries.invalidateQueries(usersQuery);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={t("users.deleteTitle", { name })}
      confirm={t("users.deleteConfirm", { name })}
      pending={remove.isPending}
      onConfirm={() => {
        remove.mutate();
      }}
      onClose={onClose}
    >
      <List size="sm" spacing={4}>
        <List.Item>{t("users.deleteKeys", { name })}</List.Item>
        <List.Item>{t("users.deleteSessions")}</List.Item>
      </List>
      <Text size="sm" mt="sm" c="dimmed">
        {t("users.deleteKept")}
      </Text>
    </ConfirmDialog>
  );
}

/** Gives a new first password; the one before ends, with all sessions. */
export function ResetPasswordDialog({ user, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [password] = useState(makePassword);
  const name = user.username;
  const reset = useMutation({
    mutationFn: () => people.edit(user.id, { password }),
    onSuccess: () => queries.invalidateQueries(usersQuery),
  });
  if (reset.data) return <FirstPassword username={name} password={password} onClose={onClose} />;
  return (
    <ConfirmDialog
      title={t("users.resetTitle", { name })}
      confirm={t("users.reset")}
      pending={reset.isPending}
      onConfirm={() => {
        reset.mutate();
      }}
      onClose={onClose}
    >
      <Text size="sm">{t("users.resetWhat", { name })}</Text>
    </ConfirmDialog>
  );
}

export function SessionsDialog({ user, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={t("users.sessionsOf", { name: user.username })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <SessionList user={user.id} />
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          {t("common.close")}
        </Button>
      </Group>
    </Modal>
  );
}
