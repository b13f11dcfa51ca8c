import { Textarea } from "@mantine/core";
import type { ReactElement } from "react";

interface Props {
  label: string;
  description: string;
  placeholder: string;
  /** What is wrong with it; "" for nothing. */
  error: string;
  value: string;
  onChange: (value: string) => void;
}

/** JSON as a person types it. */
export function JsonField({ value, error, onChange, ...words }: Props): ReactElement {
  return (
    <Textarea
      {...words}
      ff="monospace"
      autosize
      minRows={2}
      maxRows={12}
      spellCheck={false}
      value={value}
      error={error || undefined}
      onChange={(event) => {
        onChange(event.currentTarget.value);
      }}
    />
  );
}
