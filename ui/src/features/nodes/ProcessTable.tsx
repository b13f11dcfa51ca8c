import { Table } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { DeviceProcess } from "@/api/generated/types.gen";
import { formatBytes } from "@/lib/format";
import classes from "./Nodes.module.css";

/** Which programs hold memory of a GPU, as the driver counts. */
export function ProcessTable({ processes }: { processes: readonly DeviceProcess[] }): ReactElement {
  const { t } = useTranslation();
  return (
    <Table verticalSpacing={4} horizontalSpacing="xs" aria-label={t("nodes.processes")}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t("nodes.processes")}</Table.Th>
          <Table.Th>PID</Table.Th>
          <Table.Th className={classes.number ?? ""}>{t("deploy.memory")}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {processes.map(({ pid, name, bytes }) => (
          <Table.Tr key={pid}>
            <Table.Td>{name || "–"}</Table.Td>
            <Table.Td>{pid}</Table.Td>
            <Table.Td className={classes.number ?? ""}>{formatBytes(bytes)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
