import { Button, Group, Modal, Select, Stack, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Role, UserView } from "@/api/generated/types.gen";
import { people, usersQuery } from "@/api/people";
import { ErrorAlert } from "@/components/ErrorAlert";
import { LimitFields } from "@/components/LimitFields";
import type { LimitValues } from "@/lib/limits";
import { limitValues } from "@/lib/limits";
import { makePassword } from "@/lib/password";
import { ROLES } from "@/lib/roles";
import { FirstPassword } from "./FirstPassword";

interface Values {
  username: string;
  role: Role;
  limits: LimitValues;
}

interface FieldsProps {
  values: Values;
  nameFixed: boolean;
  onChange: (values: Values) => void;
}

function Fields({ values, nameFixed, onChange }: FieldsProps): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <TextInput
        label={t("session.username")}
        description={nameFixed ? undefined : t("users.nameHint")}
        required
        disabled={nameFixed}
        maxLength={63}
        data-autofocus={nameFixed ? undefined : true}
        value={values.username}
        onChange={(event) => {
          onChange({ ...values, username: event.currentTarget.value });
        }}
      />
      <Select
        label={t("users.role")}
        description={t(`users.roleHint.${values.role}`)}
        allowDeselect={false}
        data={ROLES.map((role) => ({ value: role, label: t(`role.${role}`) }))}
        value={values.role}
        onChange={(role) => {
          onChange({ ...values, role: ROLES.find((one) => one === role) ?? values.role });
        }}
      />
      <LimitFields
        limits={values.limits}
        hint={t("users.limitsHint")}
        onChange={(limits) => {
          onChange({ ...values, limits });
        }}
      />
    </>
  );
}

interface Props {
  /** Who is edited; null for somebody new. */
  user: UserView | null;
  onClose: () => void;
}

/** Makes a person with a first password that is shown once, or changes role and limits of one. */
export function UserForm({ user, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [values, setValues] = useState<Values>({
    username: user?.username ?? "",
    role: user?.role ?? "user",
    limits: user ? limitValues(user.limits) : {},
  });
  const [password] = useState(makePassword);
  const save = useMutation({
    mutationFn: () => {
      const { username, role, limits } = values;
      return user ? people.edit(user.id, { role, limits }) : people.create({ username, role, limits, password });
    },
    meta: { quiet: true },
    onSuccess: async () => {
      await queries.invalidateQueries(usersQuery);
      if (user) onClose();
    },
  });
  if (save.data && !user) return <FirstPassword username={save.data.username} password={password} onClose={onClose} />;
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={user ? t("users.editTitle", { name: user.username }) : t("users.create")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Stack>
          {save.error && <ErrorAlert error={save.error} />}
          <Fields values={values} nameFixed={user !== null} onChange={setValues} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={save.isPending} disabled={!values.username.trim()}>
              {user ? t("common.save") : t("users.create")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
