import { ActionIcon, Button, Group, Menu } from "@mantine/core";
import {
  IconAdjustments,
  IconCopy,
  IconDots,
  IconDownload,
  IconPencil,
  IconPlayerPlay,
  IconPlayerStop,
  IconRefresh,
  IconTrash,
} from "@tabler/icons-react";
import { getRouteApi } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Action, DeploymentView } from "@/api/generated/types.gen";
import { useCommand } from "./actions";
import { DeleteDialog } from "./DeleteDialog";
import { ScaleDialog } from "./ScaleDialog";
import { useExport } from "./useExport";

const route = getRouteApi("/models");
const ICONS = {
  start: IconPlayerPlay,
  stop: IconPlayerStop,
  restart: IconRefresh,
  scale: IconAdjustments,
  edit: IconPencil,
  delete: IconTrash,
} as const;
const IN_MENU: readonly Action[] = ["edit", "scale", "restart", "delete"];

/** What the server allows now: start or stop at hand, the rest in a menu. */
export function DeploymentActions({ deployment }: { deployment: DeploymentView }): ReactElement {
  const { t } = useTranslation();
  const navigate = route.useNavigate();
  const [dialog, setDialog] = useState<"scale" | "delete" | null>(null);
  const command = useCommand();
  const exported = useExport();
  const { name, allowed_actions: allowed } = deployment;
  const close = (): void => {
    setDialog(null);
  };
  const choose = (action: Action): void => {
    if (action === "scale" || action === "delete") setDialog(action);
    else if (action === "edit") void navigate({ search: (old) => ({ ...old, edit: name }) });
    else command.mutate({ action, name });
  };
  const main = allowed.find((action) => action === "start" || action === "stop");
  return (
    <Group gap={6} wrap="nowrap">
      {main && (
        <Button
          size="xs"
          variant={main === "start" ? "filled" : "default"}
          leftSection={main === "start" ? <IconPlayerPlay size={14} /> : <IconPlayerStop size={14} />}
          loading={command.isPending}
          onClick={() => {
            choose(main);
          }}
        >
          {t(`action.${main}`)}
        </Button>
      )}
      {allowed.length > 0 && (
        <Menu>
          <Menu.Target>
            <ActionIcon variant="default" size={30} aria-label={t("action.more", { name })}>
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {IN_MENU.filter((action) => allowed.includes(action)).map((action) => {
              const Icon = ICONS[action];
              return (
                <Menu.Item
                  key={action}
                  leftSection={<Icon size={16} />}
                  {...(action === "delete" ? { color: "red" } : {})}
                  onClick={() => {
                    choose(action);
                  }}
                >
                  {t(`action.${action}`)}
                </Menu.Item>
              );
            })}
            <Menu.Divider />
            <Menu.Item
              leftSection={<IconCopy size={16} />}
              onClick={() => void navigate({ search: (old) => ({ ...old, copy: name }) })}
            >
              {t("models.duplicate")}
            </Menu.Item>
            <Menu.Item
              leftSection={<IconDownload size={16} />}
              onClick={() => {
                exported.mutate([name]);
              }}
            >
              {t("models.export")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
      {dialog === "delete" && <DeleteDialog deployment={deployment} onClose={close} />}
      {dialog === "scale" && <ScaleDialog deployment={deployment} onClose={close} />}
    </Group>
  );
}
