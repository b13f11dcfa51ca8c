import { CloseButton, Group, Text, Tooltip } from "@mantine/core";
import { IconLink } from "@tabler/icons-react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { ImageTokensView } from "@/api/generated/types.gen";
import { isPadded } from "../pictures";
import type { Picture } from "../turns";
import { isRemote } from "../turns";
import classes from "./Thumbnails.module.css";

interface Props {
  pictures: readonly Picture[];
  tokens: ReadonlyMap<string, ImageTokensView>;
  onRemove: (id: string) => void;
}

function Size({ picture }: { picture: Picture }): ReactElement {
  const { t } = useTranslation();
  const { width, height, original, inner } = picture;
  const scaled = original.width !== inner.width || original.height !== inner.height;
  const size = scaled
    ? t("playground.resized", { width, height, originalWidth: original.width, originalHeight: original.height })
    : t("playground.size", { width, height });
  return (
    <Text size="xs" c="dimmed">
      {isPadded(picture) ? `${size}, ${t("playground.padded")}` : size}
    </Text>
  );
}

function Tokens({ counted }: { counted: ImageTokensView }): ReactElement | null {
  const { t } = useTranslation();
  if (counted.tokens === null) return null;
  const words = counted.exact
    ? t("playground.imageTokens", { count: counted.tokens })
    : t("playground.imageTokensNear", { count: counted.tokens });
  const { seen_width: width, seen_height: height } = counted;
  const text = (
    <Text size="xs" fw={600} data-tokens={counted.tokens} {...(width && { tabIndex: 0 })}>
      {words}
    </Text>
  );
  return width && height ? <Tooltip label={t("playground.seenAt", { width, height })}>{text}</Tooltip> : text;
}

function Thumbnail({ picture }: { picture: Picture }): ReactElement {
  const { t } = useTranslation();
  if (!isRemote(picture)) return <img className={classes.image} src={picture.src} alt={picture.name} />;
  return (
    <div className={classes.remote}>
      <IconLink size={20} aria-hidden />
      <Text size="xs" lineClamp={2} title={picture.src}>
        {picture.src}
      </Text>
      <Text size="xs" c="dimmed">
        {t("playground.fetchedLater")}
      </Text>
    </div>
  );
}

/** The pictures of the next question, as they will be sent, with what they take of the model's context. */
export function Thumbnails({ pictures, tokens, onRemove }: Props): ReactElement | null {
  const { t } = useTranslation();
  if (pictures.length === 0) return null;
  return (
    <Group gap="sm" mb="xs" align="flex-start" className={classes.list ?? ""}>
      {pictures.map((picture) => {
        const counted = tokens.get(picture.id);
        return (
          <figure key={picture.id} className={classes.item} data-picture={picture.name}>
            <Thumbnail picture={picture} />
            <CloseButton
              className={classes.remove ?? ""}
              size="xs"
              variant="filled"
              aria-label={t("playground.removePicture", { name: picture.name })}
              onClick={() => {
                onRemove(picture.id);
              }}
            />
            <figcaption>
              {!isRemote(picture) && <Size picture={picture} />}
              {counted && <Tokens counted={counted} />}
            </figcaption>
          </figure>
        );
      })}
    </Group>
  );
}
