import { Button, Group, Stack } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { isApiError } from "@/api/client";
import { ErrorAlert } from "@/components/ErrorAlert";
import { Reasons } from "@/components/Reasons";
import type { Save } from "./useSave";

interface Props {
  save: Save;
  disabled: boolean;
  onCancel: () => void;
}

/** The end of a form: why saving was refused, and the buttons. */
export function SaveBar({ save, disabled, onCancel }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <Stack>
      {save.error && <ErrorAlert error={save.error} />}
      {isApiError(save.error) && <Reasons reasons={save.error.reasons} failed />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onCancel}>
          {t("common.cancel")}
        </Button>
        <Button type="submit" loading={save.isPending} disabled={disabled}>
          {t("common.save")}
        </Button>
      </Group>
    </Stack>
  );
}
