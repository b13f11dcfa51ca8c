import { ActionIcon, Button, Fieldset, Group, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  parameters: readonly string[];
  onChange: (parameters: string[]) => void;
}

/** The engine arguments that a person sets, one a line. */
export function ParameterEditor({ parameters, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Fieldset legend={t("deploy.backendParameters")}>
      <Stack gap="xs">
        <Text size="sm" c="dimmed">
          {t("deploy.parameterHint")}
        </Text>
        {parameters.map((parameter, index) => (
          <Group key={index} gap="xs" wrap="nowrap">
            <TextInput
              flex={1}
              aria-label={t("deploy.parameter", { number: index + 1 })}
              placeholder="--flag=value"
              ff="monospace"
              value={parameter}
              autoFocus={parameter === ""}
              spellCheck={false}
              onChange={(event) => {
                onChange(parameters.with(index, event.currentTarget.value));
              }}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={`${t("common.remove")}: ${t("deploy.parameter", { number: index + 1 })}`}
              onClick={() => {
                onChange(parameters.toSpliced(index, 1));
              }}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
        <Group>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlus size={14} />}
            onClick={() => {
              onChange([...parameters, ""]);
            }}
          >
            {t("deploy.addParameter")}
          </Button>
        </Group>
      </Stack>
    </Fieldset>
  );
}
