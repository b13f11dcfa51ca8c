import { Badge, Code, Stack, Table, Text, Tooltip } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ParameterView } from "@/api/generated/types.gen";
import classes from "./ParameterTable.module.css";

const COLOURS = { default: "gray", derived: "cyan", yours: "indigo", managed: "gray" } as const;

/** Every engine argument with who decided it and why. */
export function ParameterTable({ parameters }: { parameters: readonly ParameterView[] }): ReactElement | null {
  const { t } = useTranslation();
  if (parameters.length === 0) return null;
  return (
    <Stack gap="xs">
      <Text fw={600} size="sm">
        {t("deploy.parameters")}
      </Text>
      <Table verticalSpacing={6} horizontalSpacing="xs">
        <Table.Tbody>
          {parameters.map(({ flag, value, origin, why }) => (
            <Table.Tr key={`${flag}=${value ?? ""}`}>
              <Table.Td>
                <Code className={classes.flag ?? ""}>{value === null ? flag : `${flag} ${value}`}</Code>
              </Table.Td>
              <Table.Td>
                <Tooltip label={t(`deploy.originHint.${origin}`)}>
                  <Badge size="sm" variant="light" color={COLOURS[origin]} tt="none" tabIndex={0}>
                    {t(`deploy.origin.${origin}`)}
                  </Badge>
                </Tooltip>
              </Table.Td>
              <Table.Td>
                <Text size="sm" c="dimmed">
                  {why}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Stack>
  );
}
