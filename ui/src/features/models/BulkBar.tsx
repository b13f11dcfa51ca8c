import { Button, Group, List, Paper, Text } from "@mantine/core";
import { IconDownload, IconPlayerPlay, IconPlayerStop, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Action, DeploymentView } from "@/api/generated/types.gen";
import { deploymentsQuery } from "@/api/queries";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { notifyDone } from "@/components/notify";
import { send } from "./actions";
import { useExport } from "./useExport";

const BULK = ["start", "stop", "restart", "delete"] as const satisfies readonly Action[];
type Bulk = (typeof BULK)[number];
const ICONS = { start: IconPlayerPlay, stop: IconPlayerStop, restart: IconRefresh, delete: IconTrash } as const;

interface Props {
  chosen: readonly DeploymentView[];
  onDone: () => void;
}

/** One order for several models at once, each to those that take it now. */
export function BulkBar({ chosen, onDone }: Props): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [deleting, setDeleting] = useState(false);
  const exported = useExport();
  const taking = (action: Bulk): string[] =>
    chosen.filter(({ allowed_actions: allowed }) => allowed.includes(action)).map(({ name }) => name);
  const order = useMutation({
    mutationFn: (action: Bulk) => Promise.all(taking(action).map((name) => send({ action, name }))),
    onSuccess: (done, action) => {
      notifyDone(t("bulk.done", { count: done.length, action: t(`action.${action}`) }));
      onDone();
    },
    onSettled: () => queries.invalidateQueries(deploymentsQuery),
  });
  return (
    <Paper p="xs" mb="sm" role="toolbar" aria-label={t("bulk.title")}>
      <Group gap="xs">
        <Text size="sm" fw={600} role="status">
          {t("bulk.chosen", { count: chosen.length })}
        </Text>
        {BULK.map((action) => {
          const Icon = ICONS[action];
          return (
            <Button
              key={action}
              size="xs"
              variant="default"
              leftSection={<Icon size={14} />}
              disabled={taking(action).length === 0}
              loading={order.isPending && order.variables === action}
              onClick={() => {
                if (action === "delete") setDeleting(true);
                else order.mutate(action);
              }}
            >
              {t(`action.${action}`)}
            </Button>
          );
        })}
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={14} />}
          disabled={chosen.length === 0}
          onClick={() => {
            exported.mutate(chosen.map(({ name }) => name));
          }}
        >
          {t("models.export")}
        </Button>
      </Group>
      {deleting && (
        <ConfirmDialog
          title={t("bulk.deleteTitle", { count: taking("delete").length })}
          confirm={t("common.delete")}
          pending={order.isPending}
          onConfirm={() => {
            order.mutate("delete");
          }}
          onClose={() => {
            setDeleting(false);
          }}
        >
          <List size="sm">
            {taking("delete").map((name) => (
              <List.Item key={name}>{t("models.deleteDeployment", { name })}</List.Item>
            ))}
          </List>
          <Text size="sm" mt="sm" c="dimmed">
            {t("bulk.filesStay")}
          </Text>
        </ConfirmDialog>
      )}
    </Paper>
  );
}
