import { Button, Checkbox, Group, Modal, Stack, TextInput } from "@mantine/core";
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
import { isLocal, knownSources } from "./list";
import { SourceField } from "./SourceField";
import type { Draft, Wish } from "./wish";
import { wishOf } from "./wish";

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

/** Sends a wish, and says what then happens. */
function useAdd(files: FilesView, onDone: () => void) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ source, nodes, bring, from }: Wish): Promise<string> => {
      if (bring) {
        const path = source.replace(/^file:\/\//, "");
        await api.importFiles({ path, node: nodes[0] ?? null, source: from === "" ? null : from });
        return t("files.importDone", { source });
      }
      await api.addFiles({ source, nodes: nodes.length === files.stores.length ? [] : nodes });
      return t(isLocal(source) ? "files.addLocal" : "files.addDone", { source });
    },
    meta: { quiet: true },
    onSuccess: async (told) => {
      await queries.invalidateQueries(filesQuery);
      notifyDone(told);
      onDone();
    },
  });
}

function AddForm({ files, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const deployments = useQuery(deploymentsQuery);
  const deployed = (deployments.data ?? []).map((deployment) => deployment.spec.source);
  const all = files.stores.map((store) => store.node_id);
  const [draft, setDraft] = useState<Draft>({ source: "", nodes: all, copied: null, from: "" });
  const change = (changes: Partial<Draft>): void => {
    setDraft((old) => ({ ...old, ...changes }));
  };
  const add = useAdd(files, onClose);
  const { wish, valid, trouble, words } = wishOf(draft);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) add.mutate(wish);
      }}
    >
      <Stack>
        <SourceField
          value={draft.source}
          known={knownSources(files, deployed)}
          onChange={(source) => {
            change({ source });
          }}
        />
        {isLocal(wish.source) && <LocalFields bring={wish.bring} from={draft.from} onChange={change} />}
        {files.stores.length > 1 && (
          <Checkbox.Group
            label={t("files.nodes")}
            value={wish.nodes}
            onChange={(nodes) => {
              change({ nodes });
            }}
            error={trouble && t(trouble)}
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
          <Button type="submit" loading={add.isPending} disabled={!valid}>
            {t(words)}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface LocalProps {
  bring: boolean;
  from: string;
  onChange: (changes: Partial<Draft>) => void;
}

/** What becomes of a path: copied into the store, or only remembered. */
function LocalFields({ bring, from, onChange }: LocalProps): ReactElement {
  const { t } = useTranslation();
  return (
    <>
      <Checkbox
        checked={bring}
        label={t("files.importCopy")}
        description={t(bring ? "files.importCopied" : "files.addRemembered")}
        onChange={(event) => {
          onChange({ copied: event.currentTarget.checked });
        }}
      />
      {bring && (
        <TextInput
          label={t("files.importFrom")}
          description={t("files.importFromHint")}
          placeholder="hf://bartowski/Qwen2-VL-2B-Instruct-GGUF:Q4_K_M"
          spellCheck={false}
          maxLength={4096}
          value={from}
          onChange={(event) => {
            onChange({ from: event.currentTarget.value });
          }}
        />
      )}
    </>
  );
}
