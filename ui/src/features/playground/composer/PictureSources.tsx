import { ActionIcon, Button, FileButton, Group, Menu, Select, Text, Tooltip } from "@mantine/core";
import { IconCamera, IconChevronDown, IconLink, IconPhotoPlus } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { SIDES } from "../pictures";
import type { Pictures } from "../usePictures";

const AddressForm = lazy(() => import("./AddressForm").then(({ AddressForm: found }) => ({ default: found })));
const Camera = lazy(() => import("./Camera").then(({ Camera: found }) => ({ default: found })));

const FORMATS = "image/png,image/jpeg,image/webp,image/gif,image/bmp,application/pdf";

interface Props {
  pictures: Pictures;
  vision: boolean;
  onFiles: (files: File[]) => void;
}

/** Where pictures come from, and how large they are sent. */
export function PictureSources({ pictures, vision, onFiles }: Props): ReactElement {
  const { t } = useTranslation();
  const [open, setOpen] = useState<"address" | "camera" | null>(null);
  const close = (): void => {
    setOpen(null);
  };
  return (
    <Group gap="sm" mb="xs">
      <Group gap={0} wrap="nowrap">
        <FileButton multiple accept={FORMATS} onChange={onFiles} disabled={!vision}>
          {(button) => (
            <Button
              {...button}
              size="xs"
              variant="default"
              leftSection={<IconPhotoPlus size={16} />}
              disabled={!vision}
            >
              {t("playground.upload")}
            </Button>
          )}
        </FileButton>
        <Menu position="top-start">
          <Menu.Target>
            <Tooltip label={t("playground.otherSources")}>
              <ActionIcon size={30} variant="default" aria-label={t("playground.otherSources")} disabled={!vision}>
                <IconChevronDown size={14} />
              </ActionIcon>
            </Tooltip>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<IconLink size={16} />}
              onClick={() => {
                setOpen("address");
              }}
            >
              {t("playground.address")}
            </Menu.Item>
            <Menu.Item
              leftSection={<IconCamera size={16} />}
              onClick={() => {
                setOpen("camera");
              }}
            >
              {t("playground.camera")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </Group>
      {vision && pictures.pictures.length > 0 && (
        <Select
          size="xs"
          w={170}
          aria-label={t("playground.side")}
          data={SIDES.map((side) => ({ value: String(side), label: t("playground.sideOf", { side }) }))}
          value={String(pictures.side)}
          allowDeselect={false}
          onChange={(value) => void pictures.resize(Number(value))}
        />
      )}
      <Text size="xs" c="dimmed">
        {vision ? t("playground.pasteHint") : t("playground.notVision")}
      </Text>
      <Suspense fallback={null}>
        {open === "address" && <AddressForm onAdd={pictures.addAddress} onClose={close} />}
        {open === "camera" && (
          <Camera
            onPicture={(file) => {
              onFiles([file]);
            }}
            onClose={close}
          />
        )}
      </Suspense>
    </Group>
  );
}
