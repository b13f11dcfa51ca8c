import { notifications } from "@mantine/notifications";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Picture } from "./chat";
import { loadPicture, MAX_PICTURES, PictureError, pictureFiles } from "./pictures";

/** The pictures that go with the next question. `square`: the model takes squares only. */
export function usePictures(square: boolean) {
  const { t } = useTranslation();
  const [pictures, setPictures] = useState<Picture[]>([]);

  const add = useCallback(
    async (files: Iterable<File>) => {
      const all = [...files];
      const wanted = pictureFiles(all);
      const complain = (message: string): void => {
        notifications.show({ color: "red", message, autoClose: 8000 });
      };
      for (const file of all.filter((candidate) => !wanted.includes(candidate))) {
        complain(t("playground.pictureUnreadable", { name: file.name }));
      }
      for (const file of wanted) {
        try {
          const picture = await loadPicture(file, square);
          setPictures((old) => {
            if (old.length < MAX_PICTURES) return [...old, picture];
            queueMicrotask(() => {
              complain(t("playground.pictureTooMany", { max: MAX_PICTURES }));
            });
            return old;
          });
        } catch (error) {
          if (!(error instanceof PictureError)) throw error;
          complain(t("playground.pictureUnreadable", { name: file.name }));
        }
      }
    },
    [square, t],
  );

  const remove = useCallback((id: string) => {
    setPictures((old) => old.filter((picture) => picture.id !== id));
  }, []);

  const clear = useCallback(() => {
    setPictures([]);
  }, []);

  return { pictures, add, remove, clear };
}
