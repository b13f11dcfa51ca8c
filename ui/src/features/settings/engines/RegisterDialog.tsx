import { Button, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { EngineNodeView } from "@/api/generated/types.gen";
import { ErrorAlert } from "@/components/ErrorAlert";
import { useRegister } from "./useEngines";

const ENGINES = ["vllm", "llama.cpp", "llama-box"];

/** Names a program on a machine that deployments may run from. */
export function RegisterDialog({
  nodes,
  onClose,
}: {
  nodes: readonly EngineNodeView[];
  onClose: () => void;
}): ReactElement {
  const { t } = useTranslation();
  const [engine, setEngine] = useState("vllm");
  const [path, setPath] = useState("");
  const [node, setNode] = useState(nodes[0]?.node_id ?? "");
  const register = useRegister(onClose);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("engines.register")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          register.mutate({ engine, path: path.trim(), node });
        }}
      >
        <Stack>
          <Text size="sm" c="dimmed">
            {t("engines.registerHint")}
          </Text>
          <Select
            label={t("engines.engine")}
            data={ENGINES}
            value={engine}
            allowDeselect={false}
            onChange={(value) => {
              setEngine(value ?? "vllm");
            }}
          />
          <TextInput
            label={t("engines.program")}
            description={t("engines.programHint")}
            placeholder="/opt/vllm/bin/vllm"
            required
            spellCheck={false}
            maxLength={4096}
            value={path}
            onChange={(event) => {
              setPath(event.currentTarget.value);
            }}
          />
          {nodes.length > 1 && (
            <Select
              label={t("engines.machine")}
              data={nodes.map((one) => ({ value: one.node_id, label: one.node }))}
              value={node}
              allowDeselect={false}
              onChange={(value) => {
                setNode(value ?? "");
              }}
            />
          )}
          {register.error && <ErrorAlert error={register.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t("common.cancel")}
            </Button>
            <Button type="submit" loading={register.isPending} disabled={!path.trim().startsWith("/")}>
              {t("engines.registerNow")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
