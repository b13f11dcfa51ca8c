import { Button, FileButton, Group, Text, Textarea } from "@mantine/core";
import { IconPhotoPlus, IconPlayerStopFilled, IconSend } from "@tabler/icons-react";
import type { ClipboardEvent, KeyboardEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Picture } from "./chat";
import classes from "./Composer.module.css";
import { pictureFiles } from "./pictures";
import { Thumbnails } from "./Thumbnails";

interface Props {
  text: string;
  pictures: readonly Picture[];
  busy: boolean;
  vision: boolean;
  disabled: boolean;
  onText: (text: string) => void;
  onFiles: (files: File[]) => void;
  onRemove: (id: string) => void;
  onSubmit: () => void;
  onStop: () => void;
}

const FORMATS = "image/png,image/jpeg,image/webp,image/gif,image/bmp";

/** The question: pictures above, words below, and Submit or Stop. */
export function Composer(props: Props): ReactElement {
  const { t } = useTranslation();
  const { text, pictures, busy, vision, disabled, onText, onFiles, onRemove, onSubmit, onStop } = props;
  const ready = !disabled && !busy && text.trim() !== "";
  const keyDown = (event: KeyboardEvent): void => {
    // Enter also ends the choice of a Chinese character; that is no submission.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (ready) onSubmit();
  };
  const paste = (event: ClipboardEvent): void => {
    const files = vision ? pictureFiles(event.clipboardData.files) : [];
    if (files.length === 0) return;
    event.preventDefault();
    onFiles(files);
  };
  return (
    <div className={classes.composer}>
      <Group gap="sm" mb="xs">
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
        <Text size="xs" c="dimmed">
          {vision ? t("playground.pasteHint") : t("playground.notVision")}
        </Text>
      </Group>
      <Thumbnails pictures={pictures} onRemove={onRemove} />
      <Textarea
        aria-label={t("playground.input")}
        placeholder={t("playground.inputHint")}
        autosize
        minRows={2}
        maxRows={8}
        value={text}
        onChange={(event) => {
          onText(event.currentTarget.value);
        }}
        onKeyDown={keyDown}
        onPaste={paste}
      />
      <Group justify="flex-end" mt="xs">
        {busy ? (
          <Button color="red" variant="light" leftSection={<IconPlayerStopFilled size={16} />} onClick={onStop}>
            {t("playground.stop")}
          </Button>
        ) : (
          <Button leftSection={<IconSend size={16} />} disabled={!ready} onClick={onSubmit}>
            {t("playground.submit")}
          </Button>
        )}
      </Group>
    </div>
  );
}
