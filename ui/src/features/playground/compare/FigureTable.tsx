import { Table, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { formatSeconds } from "@/lib/format";
import type { AssistantTurn } from "../turns";
import classes from "./Compare.module.css";
import type { Cell, Figure } from "./figures";
import { cells, FIGURES } from "./figures";

function written(figure: Figure, value: number): string {
  if (figure === "ttftMs" || figure === "totalMs") return formatSeconds(value / 1000);
  return figure === "tokensPerSecond" ? value.toFixed(1) : String(value);
}

function OneCell({ figure, cell }: { figure: Figure; cell: Cell }): ReactElement {
  const { t } = useTranslation();
  if (cell.value === null) return <Table.Td>–</Table.Td>;
  return (
    <Table.Td data-best={cell.best}>
      <Text span size="sm" fw={cell.best ? 700 : 400}>
        {written(figure, cell.value)}
      </Text>
      {cell.apart !== null && (
        <Text span size="xs" c="dimmed" ml={6}>
          {t("compare.apart", { percent: `${cell.apart > 0 ? "+" : ""}${(cell.apart * 100).toFixed(0)}` })}
        </Text>
      )}
    </Table.Td>
  );
}

/** What each answer took, the best of each row in bold. */
export function FigureTable({ answers }: { answers: ReadonlyMap<string, AssistantTurn> }): ReactElement {
  const { t } = useTranslation();
  const all = [...answers.values()].map((turn) => turn.stats);
  return (
    <div className={classes.wide} tabIndex={0} role="region" aria-label={t("compare.figures")}>
      <Table className={classes.figures ?? ""} verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th />
            {[...answers.keys()].map((model) => (
              <Table.Th key={model} scope="col">
                {model}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {FIGURES.map((figure) => (
            <Table.Tr key={figure} data-figure={figure}>
              <Table.Th scope="row">{t(`compare.figure.${figure}`)}</Table.Th>
              {cells(figure, all).map((cell, index) => (
                <OneCell key={index} figure={figure} cell={cell} />
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
