import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconCircleCheck, IconPlugConnectedX, IconPlugConnected } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { hubApi } from "@/api/hub";
import type { HubCheckView } from "@/api/generated/types.gen";
import { formatSeconds } from "@/lib/format";
import { HUB_NAMES } from "@/lib/hubs";

function Result({ check }: { check: HubCheckView }): ReactElement {
  const { t } = useTranslation();
  const { hub, reachable, account, milliseconds, problem } = check;
  const facts = [
    milliseconds !== null && t("settings.answered", { time: formatSeconds(milliseconds / 1000) }),
    reachable && (account ? t("settings.account", { account }) : t("settings.noAccount")),
  ].filter(Boolean);
  return (
    <Alert
      color={problem ? (reachable ? "yellow" : "red") : "teal"}
      icon={reachable ? <IconCircleCheck size={18} /> : <IconPlugConnectedX size={18} />}
      title={t(reachable ? "settings.reachable" : "settings.unreachable", { hub: HUB_NAMES[hub] })}
      p="sm"
      role="status"
      data-check={hub}
      data-reachable={reachable}
    >
      {facts.length > 0 && <Text size="sm">{facts.join(" · ")}</Text>}
      {problem && <Text size="sm">{problem.message}</Text>}
      {problem?.remedy && <Text size="sm">{t("common.whatToDo", { remedy: problem.remedy })}</Text>}
    </Alert>
  );
}

/** Whether the hubs answer, and as whom they know us. */
export function Check(): ReactElement {
  const { t } = useTranslation();
  const check = useMutation({ mutationFn: hubApi.check });
  return (
    <Stack gap="xs">
      <Group gap="sm">
        <Button
          variant="default"
          leftSection={<IconPlugConnected size={16} />}
          loading={check.isPending}
          onClick={() => {
            check.mutate();
          }}
        >
          {t("settings.check")}
        </Button>
        <Text size="sm" c="dimmed" flex="1 1 200px">
          {t("settings.checkHint")}
        </Text>
      </Group>
      {check.data?.map((result) => (
        <Result key={result.hub} check={result} />
      ))}
    </Stack>
  );
}
