import { Center, Container, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { sessionQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { LoginPage } from "@/features/session/LoginPage";
import { PasswordForced } from "@/features/session/PasswordPage";
import { Shell } from "./Shell";

/** Shows what the caller may see: the login, the forced password change, or the page asked for. */
export function Gate(): ReactElement {
  const session = useQuery({ ...sessionQuery, refetchInterval: (query) => (query.state.error ? 3000 : false) });
  if (session.isPending) {
    return (
      <Center h="100%">
        <Loader />
      </Center>
    );
  }
  if (session.data === undefined) {
    return (
      <Container size="xs" py={80}>
        <ErrorAlert error={session.error} onRetry={() => void session.refetch()} />
      </Container>
    );
  }
  if (session.data === null) return <LoginPage />;
  if (session.data.must_change_password) return <PasswordForced />;
  return (
    <Shell session={session.data}>
      <Outlet />
    </Shell>
  );
}
