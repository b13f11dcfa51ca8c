import { ActionIcon, Button, Group, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import {
  IconCube,
  IconDots,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlaylistX,
  IconRefresh,
  IconTrash,
} from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { FileAction, ModelFilesView, StoreView } from "@/api/generated/types.gen";
import { useFileCommand } from "./actions";
import { exactSource } from "./hub";
import { RemoveDialog } from "./RemoveDialog";

const ICONS = {
  pause: IconPlayerPause,
  resume: IconPlayerPlay,
  retry: IconRefresh,
  deploy: IconCube,
  delete: IconTrash,
  forget: IconPlaylistX,
} as const;
/** At hand is the first of these that the server allows; the others are in the menu. */
const ORDER: readonly FileAction[] = ["pause", "resume", "retry", "deploy", "forget", "delete"];
const REMOVALS = ["forget", "delete"] as const;

const removes = (action: FileAction): action is (typeof REMOVALS)[number] => REMOVALS.some((other) => other === action);

interface Props {
  item: ModelFilesView;
  store: StoreView;
}

function ActionIconOf({ action, size }: { action: FileAction; size: number }): ReactElement {
  const Icon = ICONS[action];
  return <Icon size={size} aria-hidden />;
}

/** What the server allows now: the next step at hand, the rest in a menu. */
export function FileActions({ item, store }: Props): ReactElement {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [removing, remove] = useDisclosure(false);
  const command = useFileCommand();
  const source = exactSource(item);
  const choose = (action: FileAction): void => {
    if (removes(action)) remove.open();
    else if (action === "deploy") void navigate({ to: "/models", search: { source } });
    else command.mutate({ action, item });
  };
  const allowed = ORDER.filter((action) => item.allowed_actions.includes(action));
  const removal = REMOVALS.find((action) => item.allowed_actions.includes(action));
  const main = allowed.find((action) => !removes(action));
  const rest = allowed.filter((action) => action !== main);
  return (
    <Group gap={6} wrap="nowrap">
      {main && (
        <Button
          size="xs"
          variant="default"
          leftSection={<ActionIconOf action={main} size={14} />}
          loading={command.isPending}
          onClick={() => {
            choose(main);
          }}
        >
          {t(`files.action.${main}`)}
        </Button>
      )}
      {rest.length > 0 && (
        <Menu>
          <Menu.Target>
            <ActionIcon variant="default" size={30} aria-label={t("files.more", { name: item.name })}>
              <IconDots size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {rest.map((action) => (
              <Menu.Item
                key={action}
                leftSection={<ActionIconOf action={action} size={16} />}
                {...(action === "delete" ? { color: "red" } : {})}
                onClick={() => {
                  choose(action);
                }}
              >
                {t(`files.action.${action}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      {removal && <RemoveDialog opened={removing} item={item} store={store} action={removal} onClose={remove.close} />}
    </Group>
  );
}
