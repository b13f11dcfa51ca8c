import { Alert, Button, Checkbox, Code, Group, Stack, Text } from "@mantine/core";
import { IconShieldCheck, IconShieldQuestion } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { approvalsQuery, filesQuery, hubApi } from "@/api/hub";
import type { HubFilesView } from "@/api/generated/types.gen";
import { currentLanguage } from "@/i18n";

/** Python of a stranger that would run on this machine: what it is, from whom, and the decision of an administrator. */
export function CodeApproval({ files }: { files: HubFilesView }): ReactElement {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [ticked, setTicked] = useState(false);
  const { hub, repository, revision } = files;
  const approve = useMutation({
    mutationFn: () => hubApi.approve({ hub, repository, revision }),
    onSuccess: async () => {
      await Promise.all([
        queries.query({ ...filesQuery(hub, repository, currentLanguage()), staleTime: 0 }),
        queries.invalidateQueries(approvalsQuery),
        queries.invalidateQueries({ queryKey: ["fit"] }),
      ]);
    },
  });
  const publisher = repository.split("/", 1)[0] ?? repository;
  if (files.code_approved) {
    return (
      <Alert
        color="teal"
        role="note"
        p="sm"
        icon={<IconShieldCheck size={18} />}
        title={t("hub.code.allowed", { commit: revision.slice(0, 12) })}
      />
    );
  }
  return (
    <Alert color="orange" p="sm" icon={<IconShieldQuestion size={18} />} title={t("hub.code.title")} role="note">
      <Stack gap="xs">
        <Text size="sm">{t("hub.code.what", { publisher })}</Text>
        <Group gap={6}>
          {files.code_files.map((file) => (
            <Code key={file}>{file}</Code>
          ))}
        </Group>
        <Text size="sm">
          {t("hub.code.commit")} <Code>{revision}</Code>
        </Text>
        <Checkbox
          label={t("hub.code.tick", { publisher })}
          checked={ticked}
          onChange={(event) => {
            setTicked(event.currentTarget.checked);
          }}
        />
        <Group>
          <Button
            size="xs"
            color="orange"
            variant="filled"
            disabled={!ticked}
            loading={approve.isPending}
            onClick={() => {
              approve.mutate();
            }}
          >
            {t("hub.code.allow")}
          </Button>
        </Group>
      </Stack>
    </Alert>
  );
}
