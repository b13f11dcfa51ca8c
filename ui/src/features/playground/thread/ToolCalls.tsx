import { Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { IconTool } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CodeBlock } from "@/components/CodeBlock";
import type { ToolCall } from "../turns";

interface Props {
  calls: readonly ToolCall[];
  /** What to do with a person's answers to the calls; null where they are answered or cannot be now. */
  onAnswer: ((answers: { call: string; name: string; text: string }[]) => void) | null;
}

/** JSON with line breaks; the text as it is where it is none. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The tools that a model wants to call, and room for what they answer. */
export function ToolCalls({ calls, onAnswer }: Props): ReactElement {
  const { t } = useTranslation();
  const [texts, setTexts] = useState<Record<number, string>>({});
  return (
    <Stack gap="sm" data-tools>
      {calls.map((call, index) => (
        <Stack key={call.id || index} gap={4}>
          <Group gap={6}>
            <IconTool size={16} aria-hidden />
            <Text size="sm" fw={600}>
              {t("playground.toolCall", { name: call.name })}
            </Text>
          </Group>
          <CodeBlock text={indented(call.arguments)} label={call.name} />
          {onAnswer && (
            <Textarea
              label={t("playground.toolAnswer", { name: call.name })}
              autosize
              minRows={1}
              maxRows={8}
              value={texts[index] ?? ""}
              onChange={(event) => {
                const { value } = event.currentTarget;
                setTexts((old) => ({ ...old, [index]: value }));
              }}
            />
          )}
        </Stack>
      ))}
      {onAnswer && (
        <Group>
          <Button
            size="xs"
            onClick={() => {
              onAnswer(calls.map(({ id, name }, index) => ({ call: id, name, text: texts[index] ?? "" })));
            }}
          >
            {t("playground.toolSend")}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
