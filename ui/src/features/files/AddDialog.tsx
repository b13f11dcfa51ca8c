import { Button, Checkbox, Group, Modal, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/calls";
import { isApiError } from "@/api/client";
import type { FilesView } from "@/api/generated/types.gen";
import { deploymentsQuery, filesQuery } from "@/api/queries";
import { ErrorAlert } from "@/components/ErrorAlert";
import { notifyDone } from "@/components/notify";
import { Reasons } from "@/components/Reasons";
import { isLocal, knownSources, validSource } from "./list";
import { SourceField } from "./SourceField";

interface Props {
  files: FilesView;
  onClose: () => void;
}

/** Bring a model's files to machines before anybody deploys it. Stays in the page, so that the focus finds back. */
export function AddDialog({ opened, files, onClose }: Props & { opened: boolean }): ReactElement {
  const { t } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      size="lg"
      title={t("files.add")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <AddForm files={files} onClose={onClose} />
    </Modal>
  );
}

function AddForm({ files, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const deployments = useQuery(deploymentsQuery);
  const deployed = (deployments.data ?? []).map((deployment) => deployment.spec.source);
  const all = files.stores.map((store) => store.node_id);
  const [source, setSource] = useState("");
  const [nodes, setNodes] = useState(all);
  const wanted = source.trim();
  const valid = validSource(wanted);
  const local = isLocal(wanted);
  const add = useMutation({
    mutationFn: () => api.addFiles({ source: wanted, nodes: nodes.length === all.length ? [] : nodes }),
    meta: { quiet: true },
    onSuccess: async () => {
      await queries.invalidateQueries(filesQuery);
      notifyDone(t(local ? "files.addLocal" : "files.addDone", { source: wanted }));
      onClose();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (valid && nodes.length > 0) add.mutate();
      }}
    >
      <Stack>
        <SourceField value={source} known={knownSources(files, deployed)} onChange={setSource} />
        {local && <Text size="sm">{t("files.addRemembered")}</Text>}
        {files.stores.length > 1 && (
          <Checkbox.Group
            label={t("files.nodes")}
            value={nodes}
            onChange={setNodes}
            error={nodes.length === 0 && t("files.nodesNeeded")}
          >
            <Stack gap="xs" mt={6} mb={6}>
              {files.stores.map((store) => (
                <Checkbox key={store.node_id} value={store.node_id} label={store.node} />
              ))}
            </Stack>
          </Checkbox.Group>
        )}
        {add.error && <ErrorAlert error={add.error} />}
        {isApiError(add.error) && <Reasons reasons={add.error.reasons} failed />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("common.cancel")}
          </Button>
          <Button type="submit" loading={add.isPending} disabled={!valid || nodes.length === 0}>
            {local ? t("files.addPath") : t("files.addStart")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
