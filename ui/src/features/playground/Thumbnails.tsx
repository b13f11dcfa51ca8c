import { CloseButton, Group, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import type { Picture } from "./chat";
import classes from "./Thumbnails.module.css";

interface Props {
  pictures: readonly Picture[];
  onRemove: (id: string) => void;
}

function Size({ picture }: { picture: Picture }): ReactElement {
  const { t } = useTranslation();
  const { width, height, original, padded } = picture;
  const size = original
    ? t("playground.resized", { width, height, originalWidth: original.width, originalHeight: original.height })
    : t("playground.size", { width, height });
  return (
    <Text size="xs" c="dimmed">
      {padded ? `${size}, ${t("playground.padded")}` : size}
    </Text>
  );
}

/** The pictures of the next question, as they will be sent. */
export function Thumbnails({ pictures, onRemove }: Props): ReactElement | null {
  const { t } = useTranslation();
  if (pictures.length === 0) return null;
  return (
    <Group gap="sm" mb="xs" align="flex-start" className={classes.list ?? ""}>
      {pictures.map((picture) => (
        <figure key={picture.id} className={classes.item} data-picture={picture.name}>
          <img className={classes.image} src={picture.dataUri} alt={picture.name} />
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
            <Size picture={picture} />
          </figcaption>
        </figure>
      ))}
    </Group>
  );
}
