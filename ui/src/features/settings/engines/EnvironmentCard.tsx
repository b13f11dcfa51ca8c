import { Badge, Button, Code, Group, Paper, Spoiler, Stack, Text } from "@mantine/core";
import { IconPlayerStop, IconRefresh, IconTrash } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { isMoving } from "@/api/engines";
import type { EnvironmentAction, EnvironmentView } from "@/api/generated/types.gen";
import { CopyText } from "@/components/CopyText";
import { Reasons } from "@/components/Reasons";
import { TransferBar } from "@/components/TransferBar";
import { formatBytes } from "@/lib/format";
import { Confirm } from "../Confirm";
import { useEngineCommand } from "./useEngines";

const COLOURS = { ready: "teal", failed: "red" } as const;
const ICONS = { cancel: IconPlayerStop, retry: IconRefresh, remove: IconTrash, forget: IconTrash };

function State({ item }: { item: EnvironmentView }): ReactElement {
  const { t } = useTranslation();
  const color = item.state === "ready" || item.state === "failed" ? COLOURS[item.state] : "blue";
  return (
    <Badge color={item.removing ? "gray" : color} variant="light" tt="none" data-state={item.state}>
      {item.removing ? t("engines.removing") : t(`engines.state.${item.state}`)}
    </Badge>
  );
}

function Actions({ item }: { item: EnvironmentView }): ReactElement {
  const { t } = useTranslation();
  const [asked, setAsked] = useState<EnvironmentAction | null>(null);
  const close = (): void => {
    setAsked(null);
  };
  const command = useEngineCommand(close);
  const name = `${item.engine} ${item.version}`.trim();
  const order = (action: EnvironmentAction): void => {
    if (action === "remove" || action === "forget") setAsked(action);
    else command.mutate({ action, item });
  };
  return (
    <Group gap="xs">
      {item.allowed_actions.map((action) => {
        const Icon = ICONS[action];
        return (
          <Button
            key={action}
            size="compact-sm"
            variant="default"
            leftSection={<Icon size={16} />}
            loading={command.isPending && command.variables.action === action}
            onClick={() => {
              order(action);
            }}
          >
            {t(`engines.action.${action}`)}
          </Button>
        );
      })}
      {asked && (
        <Confirm
          title={t("engines.removeTitle", { name, node: item.node })}
          what={asked === "forget" ? t("engines.forgetWhat") : t("engines.removeWhat")}
          busy={command.isPending}
          onYes={() => {
            command.mutate({ action: asked, item });
          }}
          onClose={close}
        />
      )}
    </Group>
  );
}

function Facts({ item }: { item: EnvironmentView }): ReactElement {
  const { t } = useTranslation();
  const facts = [
    item.variant && t("engines.for", { variant: item.variant.toUpperCase() }),
    item.origin !== "installed" && t(`engines.origin.${item.origin}`),
    item.size !== null && formatBytes(item.size),
    item.used_by.length > 0
      ? t("engines.usedBy", { deployments: item.used_by.join(", ") })
      : item.state === "ready" && t("engines.unused"),
  ].filter(Boolean);
  return (
    <Text size="sm" c="dimmed">
      {facts.join(" · ")}
    </Text>
  );
}

/** A version of an engine on a machine: how it stands, who uses it, and what can be done with it. */
export function EnvironmentCard({ item }: { item: EnvironmentView }): ReactElement {
  const { t } = useTranslation();
  const name = `${item.engine} ${item.version}`.trim();
  return (
    <Paper p="md" component="article" aria-label={name}>
      <Stack gap={6}>
        <Group justify="space-between" gap="xs">
          <Group gap="xs">
            <Text fw={600}>{name}</Text>
            <State item={item} />
          </Group>
          <Actions item={item} />
        </Group>
        <Facts item={item} />
        {item.progress && <TransferBar progress={item.progress} label={name} moving={item.state === "fetching"} />}
        {item.path !== null && (
          <Text size="sm" c="dimmed" component="div">
            <CopyText text={item.path} label={t("engines.program")} />
          </Text>
        )}
        <Reasons reasons={item.reasons} failed={item.state === "failed"} />
        {item.log.length > 0 && (isMoving(item) || item.state === "failed") && (
          <Spoiler maxHeight={72} showLabel={t("engines.moreLog")} hideLabel={t("engines.lessLog")}>
            <Code block fz="xs" aria-label={t("engines.log")}>
              {item.log.slice().reverse().join("\n")}
            </Code>
          </Spoiler>
        )}
      </Stack>
    </Paper>
  );
}
