import { Button, Container, Group, Paper, Skeleton, Text } from "@mantine/core";
import { IconLock, IconScan } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { auditQuery } from "@/api/people";
import { sessionQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { PageHead } from "@/components/PageHead";
import { mayAct } from "@/lib/roles";
import classes from "./Audit.module.css";
import { AuditRow } from "./AuditRow";
import { Filters } from "./Filters";
import { wishOf } from "./search";

const route = getRouteApi("/audit");

function Found(): ReactElement {
  const { t } = useTranslation();
  const [opened] = useState(() => Date.now() / 1000);
  const events = useInfiniteQuery(auditQuery(wishOf(route.useSearch(), opened)));
  if (events.isPending) return <Skeleton height={400} role="status" aria-label={t("common.loading")} />;
  if (events.error && !events.data) return <ErrorAlert error={events.error} onRetry={() => void events.refetch()} />;
  const items = events.data.pages.flat();
  if (items.length === 0)
    return <EmptyState icon={<IconScan size={32} />} title={t("audit.emptyTitle")} hint={t("audit.emptyHint")} />;
  return (
    <Paper px="md" py="xs">
      <ol className={classes.list} aria-label={t("audit.title")}>
        {items.map((event) => (
          <AuditRow key={event.id} event={event} />
        ))}
      </ol>
      <Group justify="center" p="sm">
        {events.hasNextPage ? (
          <Button variant="default" loading={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
            {t("audit.older")}
          </Button>
        ) : (
          <Text size="sm" c="dimmed">
            {t("audit.end")}
          </Text>
        )}
      </Group>
    </Paper>
  );
}

/** Who changed what, and when. For administrators. */
export function AuditPage(): ReactElement {
  const { t } = useTranslation();
  const session = useQuery(sessionQuery);
  if (session.data && !mayAct(session.data, "admin"))
    return <EmptyState icon={<IconLock size={32} />} title={t("audit.adminOnly")} hint={t("users.adminOnlyHint")} />;
  return (
    <Container size="lg" py="lg">
      <PageHead title={t("audit.title")} hint={t("audit.hint")} />
      <Filters />
      <Found />
    </Container>
  );
}
