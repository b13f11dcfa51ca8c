import { Group, Text } from "@mantine/core";
import type { ReactElement } from "react";

export function Brand(): ReactElement {
  return (
    <Group gap={10} wrap="nowrap">
      <img src="/favicon.svg" width={28} height={28} alt="" />
      <Text fw={700} size="lg" span>
        aiMindServe
      </Text>
    </Group>
  );
}
