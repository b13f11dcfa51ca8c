import { Table } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { UsageView } from "@/api/generated/types.gen";
import type { Group } from "./search";
import type { Sum } from "./sums";
import { sumOf } from "./sums";
import classes from "./Usage.module.css";

const COLUMNS = ["requests", "failed", "prompt_tokens", "cached_tokens", "completion_tokens", "images"] as const;
const HEADS = {
  requests: "usage.requests",
  failed: "usage.failed",
  prompt_tokens: "usage.prompt",
  cached_tokens: "usage.cached",
  completion_tokens: "usage.completion",
  images: "usage.images",
} as const;
const GROUP_HEADS = { model: "usage.byModel", key: "usage.byKey", user: "usage.byUser" } as const;

interface Props {
  rows: readonly UsageView[];
  by: Group;
  count: (value: number) => string;
}

/** The same numbers in rows: for each day what was chosen, and the sum of all. */
export function UsageTable({ rows, by, count }: Props): ReactElement {
  const { t } = useTranslation();
  const name = (row: UsageView): string => {
    if (by === "model") return row.model;
    const [id, known] = by === "key" ? [row.key_id, row.key] : [row.user_id, row.user];
    if (known) return known;
    return id ? t("usage.removed", { id }) : t("usage.page");
  };
  const cells = (sum: Sum): ReactElement[] =>
    COLUMNS.map((column) => (
      <Table.Td key={column} className={classes.number ?? ""}>
        {count(sum[column])}
      </Table.Td>
    ));
  return (
    <div className={classes.scroll} role="region" aria-label={t("usage.table")} tabIndex={0}>
      <Table verticalSpacing={6} aria-label={t("usage.table")} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("usage.day")}</Table.Th>
            <Table.Th>{t(GROUP_HEADS[by])}</Table.Th>
            {COLUMNS.map((column) => (
              <Table.Th key={column} className={classes.number ?? ""}>
                {t(HEADS[column])}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={`${row.day} ${row.model} ${row.key_id} ${row.user_id}`}>
              <Table.Td>{row.day}</Table.Td>
              <Table.Td>{name(row)}</Table.Td>
              {cells(row)}
            </Table.Tr>
          ))}
        </Table.Tbody>
        <Table.Tfoot>
          <Table.Tr>
            <Table.Th colSpan={2}>{t("usage.total")}</Table.Th>
            {cells(sumOf(rows))}
          </Table.Tr>
        </Table.Tfoot>
      </Table>
    </div>
  );
}
