import { Center, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";

interface Props {
  icon: ReactNode;
  title: string;
  hint: string;
  children?: ReactNode;
}

/** What an empty page says: what belongs here, and the next step. */
export function EmptyState({ icon, title, hint, children }: Props): ReactElement {
  return (
    <Center py={48} px="md">
      <Stack align="center" gap="sm" maw={480}>
        <ThemeIcon size={56} radius="xl" variant="light">
          {icon}
        </ThemeIcon>
        <Title order={3} ta="center">
          {title}
        </Title>
        <Text c="dimmed" ta="center">
          {hint}
        </Text>
        {children}
      </Stack>
    </Center>
  );
}
