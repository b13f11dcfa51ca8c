import { Button, Group, Modal, Text, TextInput } from "@mantine/core";
import type { ReactElement } from "react";
import { useState } from "react";
import { useTranslation } from "react-i18next";

interface Props {
  /** Whether the text is an address that can be asked for. */
  onAdd: (address: string) => boolean;
  onClose: () => void;
}

/** Asks for the address of a picture, which the gateway fetches under its own rules. */
export function AddressForm({ onAdd, onClose }: Props): ReactElement {
  const { t } = useTranslation();
  const [address, setAddress] = useState("");
  const [wrong, setWrong] = useState(false);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("playground.address")}
      closeButtonProps={{ "aria-label": t("common.close") }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (onAdd(address)) onClose();
          else setWrong(true);
        }}
      >
        <TextInput
          label={t("playground.addressLabel")}
          placeholder="https://"
          data-autofocus
          value={address}
          error={wrong && t("playground.addressWrong")}
          onChange={(event) => {
            setAddress(event.currentTarget.value);
            setWrong(false);
          }}
        />
        <Text size="sm" c="dimmed" mt="xs">
          {t("playground.addressHint")}
        </Text>
        <Group justify="flex-end" mt="md">
          <Button type="submit">{t("playground.addPicture")}</Button>
        </Group>
      </form>
    </Modal>
  );
}
