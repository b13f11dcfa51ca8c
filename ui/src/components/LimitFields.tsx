import { NumberInput, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { LimitValues } from "@/lib/limits";
import { LIMITS } from "@/lib/limits";
import classes from "./LimitFields.module.css";

interface Props {
  limits: LimitValues;
  hint: string;
  onChange: (limits: LimitValues) => void;
}

/** The limits of a key or a person; what is empty is not limited. */
export function LimitFields({ limits, hint, onChange }: Props): ReactElement {
  const { t } = useTranslation();
  return (
    <div role="group" aria-label={t("keys.limits")}>
      <Text size="sm" fw={500}>
        {t("keys.limits")}
      </Text>
      <Text size="xs" c="dimmed" mb="xs">
        {hint}
      </Text>
      <div className={classes.limits}>
        {LIMITS.map((limit) => (
          <NumberInput
            key={limit}
            label={t(`keys.limit.${limit}`)}
            min={1}
            allowDecimal={false}
            allowNegative={false}
            thousandSeparator=" "
            value={limits[limit] ?? ""}
            onChange={(value) => {
              const { [limit]: _, ...rest } = limits;
              onChange(typeof value === "number" && value > 0 ? { ...rest, [limit]: value } : rest);
            }}
          />
        ))}
      </div>
    </div>
  );
}
