import { ActionIcon, Button, Group, List, Menu, Modal, Stack, TagsInput } from "@mantine/core";
import { IconDots, IconPlayerPause, IconPlayerPlay, IconTag } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import type { NodeView } from "@/api/generated/types.gen";
import { nodesQuery } from "@/api/queries";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { ErrorAlert } from "@/components/ErrorAlert";
import { labelPatch, labelsOf, labelTexts } from "@/lib/labels";

interface Props {
  node: NodeView;
  onClose: () => void;
}

function useOrder<T>(order: (wish: T) => Promise<unknown>, onDone: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: order,
    meta: { quiet: true },
    onSuccess: async () => {
      await queries.invalidateQueries(nodesQuery);
      onDone();
    },
  });
}

function LabelsDialog({ node, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const [texts, setTexts] = useState(labelTexts(node.given_labels));
  const wanted = labelsOf(texts);
  const save = useOrder((patch: Record<string, string | null>) => api.labelNode(node.id, patch), onClose);
  const patch = wanted && labelPatch(node.given_labels, wanted);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("nodes.labelsOf", { name: node.hostname })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <Stack>
        {save.error && <ErrorAlert error={save.error} />}
        <TagsInput
          label={t("nodes.labels")}
          description={t("nodes.labelsHint")}
          error={wanted === null && t("nodes.labelInvalid")}
          data-autofocus
          value={texts}
          onChange={setTexts}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button
            loading={save.isPending}
            disabled={!patch || Object.keys(patch).length === 0}
            onClick={() => {
              if (patch) save.mutate(patch);
            }}
          >
            {t("common.save")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** Says which replicas have to go elsewhere. */
function DrainDialog({ node, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const drain = useOrder(() => api.drainNode(node.id), onClose);
  const held = node.devices.flatMap(({ holders }) =>
    holders.map(({ deployment, replica_id: id }) => ({ deployment, id })),
  );
  const replicas = [...new Map(held.map((holder) => [holder.id, holder])).values()];
  return (
    <ConfirmDialog
      title={t("nodes.drainTitle", { name: node.hostname })}
      confirm={t("nodes.drain")}
      pending={drain.isPending}
      onConfirm={() => {
        drain.mutate(undefined);
      }}
      onClose={onClose}
    >
      {drain.error && <ErrorAlert error={drain.error} />}
      {t("nodes.drainWhat", { count: replicas.length })}
      <List size="sm" mt="xs">
        {replicas.map(({ deployment, id }) => (
          <List.Item key={id}>{`${deployment} (${id})`}</List.Item>
        ))}
      </List>
    </ConfirmDialog>
  );
}

/** What an administrator can do with a machine: label it, empty it, let it work again. */
export function NodeActions({ node }: { node: NodeView }): ReactElement {
  const { t } = useTranslation();
  const [dialog, setDialog] = useState<"labels" | "drain" | null>(null);
  const close = (): void => {
    setDialog(null);
  };
  const undrain = useOrder(() => api.undrainNode(node.id), close);
  const drained = node.drained_at !== null;
  return (
    <>
      <Menu>
        <Menu.Target>
          <ActionIcon variant="default" size={30} aria-label={t("action.more", { name: node.hostname })}>
            <IconDots size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconTag size={16} />}
            onClick={() => {
              setDialog("labels");
            }}
          >
            {t("nodes.labels")}
          </Menu.Item>
          <Menu.Item
            leftSection={drained ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />}
            onClick={() => {
              if (drained) undrain.mutate(undefined);
              else setDialog("drain");
            }}
          >
            {drained ? t("nodes.undrain") : t("nodes.drain")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {dialog === "labels" && <LabelsDialog node={node} onClose={close} />}
      {dialog === "drain" && <DrainDialog node={node} onClose={close} />}
    </>
  );
}
