import { Button, Group, Textarea } from "@mantine/core";
import type { KeyboardEvent, ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  text: string;
  /** The words on the button: what becomes of the change. */
  action: string;
  onDone: (text: string) => void;
  onCancel: () => void;
}

/** A turn's words while they are changed. */
export function EditText({ text, action, onDone, onCancel }: Props): ReactElement {
  const { t } = useTranslation();
  const [value, setValue] = useState(text);
  const keyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape") onCancel();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && value.trim()) onDone(value);
  };
  return (
    <div>
      <Textarea
        aria-label={t("playground.edited")}
        data-autofocus
        autoFocus
        autosize
        minRows={2}
        maxRows={16}
        value={value}
        onChange={(event) => {
          setValue(event.currentTarget.value);
        }}
        onKeyDown={keyDown}
      />
      <Group gap="xs" mt="xs" justify="flex-end">
        <Button size="xs" variant="default" onClick={onCancel}>
          {t("common.cancel")}
        </Button>
        <Button
          size="xs"
          disabled={!value.trim()}
          onClick={() => {
            onDone(value);
          }}
        >
          {action}
        </Button>
      </Group>
    </div>
  );
}
