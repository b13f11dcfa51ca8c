import { Group, Text, Title } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

interface Props {
  title: string;
  hint?: string;
  /** What can be done on the whole page. */
  children?: ReactNode;
}

/** The one heading of a page, what the page is for, and its buttons. */
export function PageHead({ title, hint, children }: Props): ReactElement {
  return (
    <header>
      <Group justify="space-between" gap="sm" mb={hint ? 4 : "md"}>
        <Title order={1} size="h2">
          {title}
        </Title>
        {children}
      </Group>
      {hint && (
        <Text size="sm" c="dimmed" mb="md">
          {hint}
        </Text>
      )}
    </header>
  );
}
