import { Anchor, Table, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { HolderView } from "@/api/generated/types.gen";
import { PhaseBadge } from "@/components/PhaseBadge";
import { formatBytes } from "@/lib/format";
import classes from "./Nodes.module.css";

/** Who has claimed memory on a device, each with the way to its deployment. */
export function HolderTable({ holders }: { holders: readonly HolderView[] }): ReactElement {
  const { t } = useTranslation();
  if (holders.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        {t("nodes.nobody")}
      </Text>
    );
  }
  return (
    <Table.ScrollContainer minWidth={420} type="native">
      <Table verticalSpacing={4} horizontalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            {(["deployment", "bytes", "state", "replica"] as const).map((column) => (
              <Table.Th key={column} className={column === "bytes" ? (classes.number ?? "") : ""}>
                {t(`nodes.columns.${column}`)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {holders.map(({ deployment, replica_id: replica, phase, bytes }) => (
            <Table.Tr key={replica} data-holder={replica}>
              <Table.Td>
                <Anchor
                  size="sm"
                  renderRoot={(props) => (
                    <Link to="/models" search={{ open: deployment, tab: "replicas" }} {...props} />
                  )}
                >
                  {deployment}
                </Anchor>
              </Table.Td>
              <Table.Td className={classes.number ?? ""}>{formatBytes(bytes)}</Table.Td>
              <Table.Td>
                <PhaseBadge phase={phase} />
              </Table.Td>
              <Table.Td>
                <Text size="sm" c="dimmed">
                  {replica}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
