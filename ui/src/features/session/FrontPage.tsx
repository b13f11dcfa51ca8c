import { Group, Paper, Stack, Text } from "@mantine/core";
import type { ReactElement, ReactNode } from "react";
import { Brand } from "@/components/Brand";
import { ColourMenu, LanguageMenu } from "@/components/Preferences";
import classes from "./FrontPage.module.css";

/** The frame of what is shown before anybody is in. */
export function FrontPage({ subtitle, children }: { subtitle: string; children: ReactNode }): ReactElement {
  return (
    <div className={classes.page}>
      <Group justify="flex-end" p="sm" gap={6}>
        <LanguageMenu />
        <ColourMenu />
      </Group>
      <main className={classes.middle}>
        <Paper className={classes.card ?? ""} p="xl" shadow="sm">
          <Stack gap={4} mb="lg">
            <Brand />
            <Text c="dimmed" size="sm">
              {subtitle}
            </Text>
          </Stack>
          {children}
        </Paper>
      </main>
    </div>
  );
}
