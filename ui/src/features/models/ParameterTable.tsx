import { Code, Stack, Table, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ParameterView, ReasonView } from "@/api/generated/types.gen";
import { valueOf, without, withValue } from "./arguments";
import { OriginBadge, ParameterValue } from "./ParameterValue";
import classes from "./ParameterTable.module.css";

interface Props {
  parameters: readonly ParameterView[];
  /** What the person gave, and how to change it; without them the table is for reading. */
  given?: readonly string[];
  onChange?: (given: string[]) => void;
  reasons?: readonly ReasonView[];
}

/** Why the value of this argument is refused. */
function refusal({ flag, names }: ParameterView, reasons: readonly ReasonView[]): string | null {
  const why = reasons.find(({ params }) => params.flag === flag || names.includes(String(params.flag)));
  return why ? [why.message, why.remedy].join(" ") : null;
}

/** Who decides, as the form stands: the answer to it may still be on its way. */
function originNow({ origin }: ParameterView, value: string | null | undefined): ParameterView["origin"] {
  if (origin === "managed") return origin;
  if (value !== undefined) return "yours";
  return origin === "yours" ? "derived" : origin;
}

function Row({ parameter, given, onChange, reasons = [] }: Omit<Props, "parameters"> & { parameter: ParameterView }) {
  const { flag, why } = parameter;
  const mine = given && valueOf(given, parameter);
  const origin = given ? originNow(parameter, mine) : parameter.origin;
  const value = mine === undefined ? parameter.value : mine;
  return (
    <Table.Tr data-flag={flag} data-origin={origin}>
      <Table.Td>
        <Code className={classes.flag ?? ""}>{flag}</Code>
      </Table.Td>
      <Table.Td className={classes.value ?? ""}>
        <ParameterValue
          flag={flag}
          value={value}
          choices={parameter.choices}
          origin={origin}
          error={refusal(parameter, reasons)}
          onSet={
            given && onChange && origin !== "managed"
              ? (text) => {
                  onChange(
                    text === null || text === "" ? without(given, parameter) : withValue(given, parameter, text),
                  );
                }
              : undefined
          }
        />
      </Table.Td>
      <Table.Td>
        <OriginBadge origin={origin} />
      </Table.Td>
      <Table.Td>
        <Text size="sm" c="dimmed">
          {why}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}

/** Every engine argument with who decided it and why; in a form its value can be changed where it stands. */
export function ParameterTable({ parameters, ...rest }: Props): ReactElement | null {
  const { t } = useTranslation();
  if (parameters.length === 0) return null;
  return (
    <Stack gap="xs" className={classes.frame ?? ""}>
      <Text fw={600} size="sm" id="parameter-table">
        {t("deploy.parameters")}
      </Text>
      {rest.onChange && (
        <Text size="xs" c="dimmed">
          {t("fit.parametersHint")}
        </Text>
      )}
      <Table
        verticalSpacing={6}
        horizontalSpacing="xs"
        className={classes.table ?? ""}
        aria-labelledby="parameter-table"
      >
        <Table.Thead>
          <Table.Tr>
            {(["flag", "value", "origin", "why"] as const).map((column) => (
              <Table.Th key={column} className={classes.head ?? ""}>
                {t(`fit.column.${column}`)}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {parameters.map((parameter) => (
            <Row key={parameter.flag} parameter={parameter} {...rest} />
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
