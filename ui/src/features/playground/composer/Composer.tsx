import { ActionIcon, Button, Group, Menu, Text, Textarea } from "@mantine/core";
import { IconChevronDown, IconMessagePlus, IconPlayerStopFilled, IconSend } from "@tabler/icons-react";
import type { ClipboardEvent, KeyboardEvent, ReactElement, ReactNode } from "react";
import { lazy, Suspense } from "react";
import { useTranslation } from "react-i18next";
import type { ImageTokensView } from "@/api/generated/types.gen";
import { pictureFiles } from "../pictures";
import type { Pictures } from "../usePictures";
import classes from "./Composer.module.css";
import { PictureSources } from "./PictureSources";
import { Thumbnails } from "./Thumbnails";

const PdfPages = lazy(() => import("./PdfPages").then(({ PdfPages: found }) => ({ default: found })));

interface Props {
  text: string;
  pictures: Pictures;
  tokens: ReadonlyMap<string, ImageTokensView>;
  /** A PDF whose pages are chosen now. */
  pdf: File | null;
  busy: boolean;
  vision: boolean;
  /** Why nothing can be asked; "" where it can. */
  obstacle: string;
  /** What stands beside Submit. */
  note: ReactNode;
  onText: (text: string) => void;
  onFiles: (files: File[]) => void;
  onPdfDone: () => void;
  onSubmit: () => void;
  onStop: () => void;
  /** Takes the words as an answer of the model, without asking; null where there is no such thing. */
  onSay: (() => void) | null;
}

function Submit({ ready, onSubmit, onSay }: { ready: boolean } & Pick<Props, "onSubmit" | "onSay">): ReactElement {
  const { t } = useTranslation();
  return (
    <Group gap={2} wrap="nowrap">
      <Button leftSection={<IconSend size={16} />} disabled={!ready} onClick={onSubmit}>
        {t("playground.submit")}
      </Button>
      {onSay && (
        <Menu position="top-end">
          <Menu.Target>
            <ActionIcon size={36} variant="default" aria-label={t("playground.moreSubmit")}>
              <IconChevronDown size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconMessagePlus size={16} />} onClick={onSay}>
              {t("playground.say")}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </Group>
  );
}

/** The question: pictures above, words below, and Submit or Stop. */
export function Composer(props: Props): ReactElement {
  const { t } = useTranslation();
  const { text, pictures, tokens, pdf, busy, vision, obstacle, note, onText, onFiles, onSubmit, onStop, onSay } = props;
  const ready = obstacle === "" && !busy && text.trim() !== "";
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
      <PictureSources pictures={pictures} vision={vision} onFiles={onFiles} />
      <Thumbnails pictures={pictures.pictures} tokens={tokens} onRemove={pictures.remove} />
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
      <Group justify="space-between" mt="xs" wrap="nowrap">
        <Text size="xs" c="dimmed" component="div">
          {obstacle || note}
        </Text>
        {busy ? (
          <Button color="red" variant="light" leftSection={<IconPlayerStopFilled size={16} />} onClick={onStop}>
            {t("playground.stop")}
          </Button>
        ) : (
          <Submit ready={ready} onSubmit={onSubmit} onSay={text.trim() ? onSay : null} />
        )}
      </Group>
      {pdf && (
        <Suspense fallback={null}>
          <PdfPages file={pdf} side={pictures.side} onPictures={onFiles} onClose={props.onPdfDone} />
        </Suspense>
      )}
    </div>
  );
}
