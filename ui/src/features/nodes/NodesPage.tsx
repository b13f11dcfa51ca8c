import { Container, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconServer2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { nodesQuery } from "@/api/queries";
import { EmptyState } from "@/components/EmptyState";
import { ErrorAlert } from "@/components/ErrorAlert";
import { NodeCard } from "./NodeCard";

/** What is measured changes all the time and is no event. */
const LOOK_AGAIN_MS = 5_000;

/** Machines and their devices: who has claimed memory where, and how much is in use. */
export function NodesPage(): ReactElement {
  const { t } = useTranslation();
  const nodes = useQuery({ ...nodesQuery, refetchInterval: LOOK_AGAIN_MS });
  return (
    <Container size="lg" py="lg">
      <Title order={1} size="h2" mb={6}>
        {t("nodes.title")}
      </Title>
      <Text size="sm" c="dimmed" mb="md">
        {t("nodes.hint")}
      </Text>
      {nodes.isPending && <Skeleton height={220} role="status" aria-label={t("common.loading")} />}
      {nodes.error && !nodes.data && <ErrorAlert error={nodes.error} onRetry={() => void nodes.refetch()} />}
      {nodes.data?.length === 0 && (
        <EmptyState icon={<IconServer2 size={32} />} title={t("nodes.emptyTitle")} hint={t("nodes.emptyHint")} />
      )}
      <Stack gap="md">
        {nodes.data?.map((node) => (
          <NodeCard key={node.id} node={node} />
        ))}
      </Stack>
    </Container>
  );
}
