import { Stack, Table, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ModelFilesView } from "@/api/generated/types.gen";
import { CopyText } from "@/components/CopyText";
import { formatBytes } from "@/lib/format";
import classes from "./Files.module.css";

const ROLES = ["weights", "projector", "config"] as const;

/** Every file with what it is for and its size, and the folder in which they lie. */
export function FileTable({ item }: { item: ModelFilesView }): ReactElement {
  const { t } = useTranslation();
  const role = (name: string): string => {
    const known = ROLES.find((candidate) => candidate === name);
    return known ? t(`files.role.${known}`) : name;
  };
  return (
    <Stack gap="xs" className={classes.below ?? ""}>
      <Table verticalSpacing={4} aria-label={item.name}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("files.name")}</Table.Th>
            <Table.Th>{t("files.use")}</Table.Th>
            <Table.Th className={classes.number ?? ""}>{t("files.size")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {item.files.map((file) => (
            <Table.Tr key={file.path}>
              <Table.Td className={classes.wrapping ?? ""}>{file.path}</Table.Td>
              <Table.Td>{role(file.role)}</Table.Td>
              <Table.Td className={classes.number ?? ""}>{formatBytes(file.size)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {item.path !== null && (
        <Text size="sm" c="dimmed" component="div">
          {`${t("files.folder")}: `}
          <CopyText text={item.path} label={t("files.folder")} />
        </Text>
      )}
      {item.kind === "store" && item.used_by.length > 0 && (
        <Text size="sm" c="dimmed">
          {t("files.usedHint")}
        </Text>
      )}
    </Stack>
  );
}
