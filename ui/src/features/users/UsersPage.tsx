import { Button, Container, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { IconLock, IconPlus, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { UserView } from "@/api/generated/types.gen";
import { usersQuery } from "@/api/people";
import { sessionQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { PageHead } from "@/components/PageHead";
import { mayAct } from "@/lib/roles";
import type { UserAction } from "./UserCard";
import { UserCard } from "./UserCard";
import { DeleteUserDialog, ResetPasswordDialog, SessionsDialog } from "./UserDialogs";
import { UserForm } from "./UserForm";

const route = getRouteApi("/users");
/** From this many people on, one looks for a name. */
const MANY = 8;

interface Chosen {
  user: UserView;
  action: UserAction;
}

function Dialog({ chosen, onClose }: { chosen: Chosen; onClose: () => void }): ReactElement {
  const { user, action } = chosen;
  if (action === "edit") return <UserForm user={user} onClose={onClose} />;
  if (action === "reset") return <ResetPasswordDialog user={user} onClose={onClose} />;
  if (action === "sessions") return <SessionsDialog user={user} onClose={onClose} />;
  return <DeleteUserDialog user={user} onClose={onClose} />;
}

function Cards({ users, self }: { users: readonly UserView[]; self: string }): ReactElement {
  const { t } = useTranslation();
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const shown = users.filter(({ username }) => username.includes(q.trim().toLowerCase()));
  return (
    <Stack gap="sm">
      {(users.length >= MANY || q) && (
        <TextInput
          aria-label={t("users.find")}
          placeholder={t("users.find")}
          leftSection={<IconSearch size={16} />}
          value={q}
          onChange={(event) => {
            const { value } = event.currentTarget;
            void navigate({ search: value ? { q: value } : {}, replace: true });
          }}
        />
      )}
      {shown.length === 0 && <Text c="dimmed">{t("users.noMatch")}</Text>}
      {shown.map((user) => (
        <UserCard
          key={user.id}
          user={user}
          isSelf={user.username === self}
          onChoose={(action) => {
            setChosen({ user, action });
          }}
        />
      ))}
      {chosen && (
        <Dialog
          chosen={chosen}
          onClose={() => {
            setChosen(null);
          }}
        />
      )}
    </Stack>
  );
}

function People({ self }: { self: string }): ReactElement {
  const { t } = useTranslation();
  const [creating, setCreating] = useState(false);
  const users = useQuery(usersQuery);
  return (
    <Container size="lg" py="lg">
      <PageHead title={t("users.title")} hint={t("users.hint")}>
        <Button
          leftSection={<IconPlus size={16} />}
          onClick={() => {
            setCreating(true);
          }}
        >
          {t("users.create")}
        </Button>
      </PageHead>
      {users.isPending && <Skeleton height={200} role="status" aria-label={t("common.loading")} />}
      {users.error && !users.data && <ErrorAlert error={users.error} onRetry={() => void users.refetch()} />}
      {users.data && <Cards users={users.data} self={self} />}
      {creating && (
        <UserForm
          user={null}
          onClose={() => {
            setCreating(false);
          }}
        />
      )}
    </Container>
  );
}

/** People who may log in. For administrators. */
export function UsersPage(): ReactElement {
  const { t } = useTranslation();
  const session = useQuery(sessionQuery);
  if (session.data && !mayAct(session.data, "admin"))
    return <EmptyState icon={<IconLock size={32} />} title={t("users.adminOnly")} hint={t("users.adminOnlyHint")} />;
  return <People self={session.data?.username ?? ""} />;
}
