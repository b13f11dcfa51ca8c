import { Fieldset, Group, NumberInput, Stack } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ScalingWishesOutput } from "@/api/generated/types.gen";

interface Props {
  wishes: ScalingWishesOutput;
  onChange: (wishes: ScalingWishesOutput) => void;
}

const MINUTE = 60;

/** Whether the number of replicas follows the requests, and how. */
export function ScalingFields({ wishes, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  const orNull = (value: string | number): number | null => (value === "" ? null : Number(value));
  return (
    <Fieldset legend={t("scaling.title")}>
      <Stack gap="sm">
        <NumberInput
          label={t("scaling.minimum")}
          description={t("scaling.minimumHint")}
          placeholder={t("scaling.always")}
          min={0}
          max={64}
          allowDecimal={false}
          value={wishes.minimum ?? ""}
          onChange={(value) => {
            onChange({ ...wishes, minimum: orNull(value) });
          }}
        />
        {wishes.minimum !== null && (
          <Group align="flex-end" grow>
            <NumberInput
              label={t("scaling.idle")}
              suffix={` ${t("scaling.minutes")}`}
              min={1}
              decimalScale={1}
              value={wishes.idle_seconds / MINUTE}
              onChange={(value) => {
                onChange({ ...wishes, idle_seconds: Math.max(1, Math.round(Number(value) * MINUTE)) });
              }}
            />
            <NumberInput
              label={t("scaling.hold")}
              suffix={` ${t("scaling.seconds")}`}
              min={0}
              max={600}
              allowDecimal={false}
              value={wishes.hold_seconds}
              onChange={(value) => {
                onChange({ ...wishes, hold_seconds: Number(value) });
              }}
            />
            <NumberInput
              label={t("scaling.queue")}
              placeholder={t("scaling.queueAuto")}
              min={1}
              allowDecimal={false}
              value={wishes.queue ?? ""}
              onChange={(value) => {
                onChange({ ...wishes, queue: orNull(value) });
              }}
            />
          </Group>
        )}
      </Stack>
    </Fieldset>
  );
}
