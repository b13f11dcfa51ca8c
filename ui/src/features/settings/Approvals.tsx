import { ActionIcon, Group, Paper, Skeleton, Stack, Text, Title } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { approvalsQuery, hubApi } from "@/api/hub";
import type { CodeApprovalView } from "@/api/generated/types.gen";
import { ErrorAlert } from "@/components/ErrorAlert";
import { notifyDone } from "@/components/notify";
import { currentLanguage } from "@/i18n";
import { formatTime } from "@/lib/format";
import { Confirm } from "./Confirm";

interface Props {
  approval: CodeApprovalView;
  onRemove: () => void;
}

function Row({ approval, onRemove }: Props): ReactElement {
  const { t } = useTranslation();
  const { hub, repository, revision, actor, at } = approval;
  return (
    <Group justify="space-between" wrap="nowrap" component="article" aria-label={repository}>
      <Stack gap={2} miw={0}>
        <Text fw={600} truncate title={`${hub}://${repository}@${revision}`}>
          {`${hub}://${repository}`}
        </Text>
        <Text size="sm" c="dimmed">
          {t("settings.approvedBy", { commit: revision.slice(0, 12), actor, time: formatTime(at, currentLanguage()) })}
        </Text>
      </Stack>
      <ActionIcon variant="subtle" color="red" aria-label={t("settings.withdraw", { repository })} onClick={onRemove}>
        <IconTrash size={18} />
      </ActionIcon>
    </Group>
  );
}

function Withdraw({ approval, onClose }: { approval: CodeApprovalView; onClose: () => void }): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { repository, revision } = approval;
  const withdraw = useMutation({
    mutationFn: () => hubApi.withdraw(approval),
    onSuccess: async () => {
      queries.removeQueries({ queryKey: ["hub", "files"] });
      await queries.invalidateQueries(approvalsQuery);
      notifyDone(t("settings.withdrawn"));
      onClose();
    },
  });
  return (
    <Confirm
      title={t("settings.withdraw", { repository })}
      what={t("settings.withdrawWhat", { repository, commit: revision.slice(0, 12) })}
      busy={withdraw.isPending}
      onYes={() => {
        withdraw.mutate();
      }}
      onClose={onClose}
    />
  );
}

/** Whose Python may run here, and since when. */
export function Approvals(): ReactElement {
  const { t } = useTranslation();
  const approvals = useQuery(approvalsQuery);
  const [removed, setRemoved] = useState<CodeApprovalView | null>(null);
  return (
    <Paper p="md" component="section" aria-label={t("settings.approvals")}>
      <Title order={3} size="h4">
        {t("settings.approvals")}
      </Title>
      <Text size="sm" c="dimmed" mb="sm">
        {approvals.data?.length === 0 ? t("settings.approvalsEmpty") : t("settings.approvalsHint")}
      </Text>
      {approvals.isPending && <Skeleton height={44} />}
      {approvals.error && !approvals.data && (
        <ErrorAlert error={approvals.error} onRetry={() => void approvals.refetch()} />
      )}
      <Stack gap="sm">
        {approvals.data?.map((approval) => (
          <Row
            key={`${approval.hub}:${approval.repository}@${approval.revision}`}
            approval={approval}
            onRemove={() => {
              setRemoved(approval);
            }}
          />
        ))}
      </Stack>
      {removed && (
        <Withdraw
          approval={removed}
          onClose={() => {
            setRemoved(null);
          }}
        />
      )}
    </Paper>
  );
}
