import { Button, Group, NumberInput, Paper, Stack, Switch, TextInput, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { HubSettingsView } from "@/api/generated/types.gen";
import { HUB_NAMES } from "@/lib/hubs";
import { Check } from "./Check";
import type { Connection } from "./rules";
import { changesOf, connectionOf, MIRROR, validAddress, validConnection } from "./rules";
import { useChange } from "./useSettings";

interface AddressProps {
  label: string;
  hint: string;
  value: string;
  origin: string | undefined;
  onChange: (value: string) => void;
  children?: ReactElement | false;
}

const ORIGINS = ["default", "start", "stored"] as const;

function Address({ label, hint, value, origin, onChange, children }: AddressProps): ReactElement {
  const { t } = useTranslation();
  const known = ORIGINS.find((candidate) => candidate === origin);
  return (
    <Group gap="xs" align="flex-end">
      <TextInput
        flex="1 1 280px"
        label={label}
        description={known ? t("settings.withOrigin", { hint, origin: t(`settings.origin.${known}`) }) : hint}
        type="url"
        inputMode="url"
        spellCheck={false}
        maxLength={500}
        error={value.trim() !== "" && !validAddress(value) && t("settings.wrongAddress")}
        value={value}
        onChange={(event) => {
          onChange(event.currentTarget.value);
        }}
      />
      {children}
    </Group>
  );
}

/** The entries, as far as somebody changed them; everything else follows the settings. */
function useEntries(settings: HubSettingsView) {
  const [changed, setChanged] = useState<Partial<Connection>>({});
  const form: Connection = { ...connectionOf(settings), ...changed };
  const set = (change: Partial<Connection>): void => {
    setChanged((old) => ({ ...old, ...change }));
  };
  const clear = (): void => {
    setChanged({});
  };
  return { form, set, clear };
}

/** Where the hubs are, and how fast and whether at all they are asked. */
export function ConnectionForm({ settings }: { settings: HubSettingsView }): ReactElement {
  const { t } = useTranslation();
  const { form, set, clear } = useEntries(settings);
  const change = useChange(clear);
  const changes = changesOf(form, settings);
  const dirty = Object.keys(changes).length > 0;
  return (
    <Paper p="md" component="section" aria-label={t("settings.connection")}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate(changes);
        }}
      >
        <Stack>
          <Title order={3} size="h4">
            {t("settings.connection")}
          </Title>
          <Address
            label={t("settings.endpoint", { hub: HUB_NAMES.hf })}
            hint={t("settings.endpointHint")}
            value={form.huggingface_endpoint}
            origin={settings.origins.huggingface_endpoint}
            onChange={(huggingface_endpoint) => {
              set({ huggingface_endpoint });
            }}
          >
            {form.huggingface_endpoint !== MIRROR && (
              <Button
                variant="default"
                loading={change.isPending}
                onClick={() => {
                  change.mutate({ huggingface_endpoint: MIRROR });
                }}
              >
                {t("settings.useMirror")}
              </Button>
            )}
          </Address>
          <Address
            label={t("settings.endpoint", { hub: HUB_NAMES.ms })}
            hint={t("settings.endpointHint")}
            value={form.modelscope_endpoint}
            origin={settings.origins.modelscope_endpoint}
            onChange={(modelscope_endpoint) => {
              set({ modelscope_endpoint });
            }}
          />
          <Address
            label={t("settings.proxy")}
            hint={t("settings.proxyHint")}
            value={form.proxy}
            origin={settings.origins.proxy}
            onChange={(proxy) => {
              set({ proxy });
            }}
          />
          <NumberInput
            label={t("settings.bandwidth")}
            description={t("settings.bandwidthHint")}
            min={0}
            value={form.bandwidth}
            onChange={(value) => {
              set({ bandwidth: String(value) });
            }}
          />
          <Switch
            label={t("settings.offline")}
            description={t("settings.offlineHint")}
            checked={form.offline}
            onChange={(event) => {
              set({ offline: event.currentTarget.checked });
            }}
          />
          <Group justify="flex-end">
            <Button type="submit" loading={change.isPending} disabled={!dirty || !validConnection(form)}>
              {t("common.save")}
            </Button>
          </Group>
          <Check />
        </Stack>
      </form>
    </Paper>
  );
}
