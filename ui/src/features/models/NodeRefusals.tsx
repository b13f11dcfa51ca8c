import { Accordion, List, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { NodeRefusalView } from "@/api/generated/types.gen";

/** Why machines cannot take a replica, one by one, for those who want to know. */
export function NodeRefusals({ refusals }: { refusals: readonly NodeRefusalView[] }): ReactElement | null {
  const { t } = useTranslation();
  if (refusals.length === 0) return null;
  return (
    <Accordion variant="contained">
      <Accordion.Item value="nodes">
        <Accordion.Control>
          <Text size="sm">{t("fit.refusals", { count: refusals.length })}</Text>
        </Accordion.Control>
        <Accordion.Panel>
          <List size="sm" spacing={6} listStyleType="none">
            {refusals.map(({ node_id: id, node, reason }) => (
              <List.Item key={id} data-refusal={id}>
                <b>{node}</b>: {reason.message}{" "}
                <Text span size="sm" c="dimmed">
                  {reason.remedy}
                </Text>
              </List.Item>
            ))}
          </List>
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}
