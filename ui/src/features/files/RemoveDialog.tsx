import { Button, Code, Group, List, Modal, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ModelFilesView, StoreView } from "@/api/generated/types.gen";
import { formatBytes } from "@/lib/format";
import { useFileCommand } from "./actions";
import classes from "./Files.module.css";
import { sourceText } from "./hub";

interface Props {
  opened: boolean;
  item: ModelFilesView;
  store: StoreView;
  action: "delete" | "forget";
  onClose: () => void;
}

/** What deleting takes away, what it frees, and what it never touches. */
function Deleted({ item, store }: { item: ModelFilesView; store: StoreView }): ReactElement {
  const { t } = useTranslation();
  const { name, node, freed, size, state } = item;
  const whole = state === "ready";
  return (
    <List size="sm" spacing={6}>
      <List.Item className={classes.wrapping ?? ""}>
        {t("files.deleteEntry", { name, files: item.files.length, node })}
        <Code block className={classes.path ?? ""}>
          {item.path ?? store.path}
        </Code>
      </List.Item>
      <List.Item>
        {freed > 0 ? t("files.deleteFrees", { bytes: formatBytes(freed) }) : t("files.deleteFreesNothing")}
      </List.Item>
      {whole && freed > 0 && freed < size && (
        <List.Item>{t("files.deleteShared", { bytes: formatBytes(size - freed) })}</List.Item>
      )}
      {!whole && <List.Item>{t("files.deletePartial")}</List.Item>}
      <List.Item className={classes.wrapping ?? ""}>{t("files.deleteNothingElse", { store: store.path })}</List.Item>
    </List>
  );
}

/** Says exactly what will be gone, and what stays. */
export function RemoveDialog({ opened, item, store, action, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const command = useFileCommand(onClose);
  const forget = action === "forget";
  const { name } = item;
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      size="lg"
      title={forget ? t("files.forgetTitle", { name }) : t("files.deleteTitle", { name })}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      {forget ? (
        <Text size="sm" component="div">
          {t("files.forgetHint")}
          <Code block className={classes.path ?? ""}>
            {item.path ?? sourceText(item.source)}
          </Code>
        </Text>
      ) : (
        <Deleted item={item} store={store} />
      )}
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose}>
          {t("common.cancel")}
        </Button>
        <Button
          color={forget ? "indigo" : "red"}
          loading={command.isPending}
          onClick={() => {
            command.mutate({ action, item });
          }}
        >
          {forget ? t("files.forgetConfirm") : t("files.deleteConfirm")}
        </Button>
      </Group>
    </Modal>
  );
}
