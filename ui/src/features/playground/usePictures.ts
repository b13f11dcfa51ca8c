import { notifications } from "@mantine/notifications";
import { useCallback, useState } from "react";
import { useTranslation } from "react-i18next";
import { loadPicture, MAX_PICTURES, PictureError, pictureFiles, remotePicture, USUAL_SIDE } from "./pictures";
import type { Picture } from "./turns";

/** A picture of the next question and the file that it was made of; null for one that the gateway fetches. */
interface Chosen {
  picture: Picture;
  file: File | null;
}

/** The pictures that go with the next question. `square`: the model takes squares only. */
export function usePictures(square: boolean) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<Chosen[]>([]);
  const [side, setSide] = useState<number>(USUAL_SIDE);

  const complain = (message: string): void => {
    notifications.show({ color: "red", message, autoClose: 8000 });
  };

  const push = (one: Chosen): void => {
    setChosen((old) => {
      if (old.length < MAX_PICTURES) return [...old, one];
      queueMicrotask(() => {
        complain(t("playground.pictureTooMany", { max: MAX_PICTURES }));
      });
      return old;
    });
  };

  const read = async (file: File, longest: number): Promise<Picture | null> => {
    try {
      return await loadPicture(file, square, longest);
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      complain(t("playground.pictureUnreadable", { name: file.name }));
      return null;
    }
  };

  const add = async (files: Iterable<File>): Promise<void> => {
    const all = [...files];
    const wanted = pictureFiles(all);
    for (const file of all.filter((candidate) => !wanted.includes(candidate))) {
      complain(t("playground.pictureUnreadable", { name: file.name }));
    }
    for (const file of wanted) {
      const picture = await read(file, side);
      if (picture) push({ picture, file });
    }
  };

  /** Whether the text is an address that the gateway may be asked for. */
  const addAddress = (address: string): boolean => {
    const picture = remotePicture(address);
    if (picture) push({ picture, file: null });
    return picture !== null;
  };

  /** Scales all pictures anew, each from its own file. */
  const resize = async (longest: number): Promise<void> => {
    setSide(longest);
    for (const { file, picture } of chosen) {
      const made = file && (await read(file, longest));
      if (!made) continue;
      setChosen((old) => old.map((one) => (one.picture.id === picture.id ? { file, picture: made } : one)));
    }
  };

  const remove = useCallback((id: string) => {
    setChosen((old) => old.filter(({ picture }) => picture.id !== id));
  }, []);

  const clear = useCallback(() => {
    setChosen([]);
  }, []);

  return { pictures: chosen.map(({ picture }) => picture), side, add, addAddress, resize, remove, clear };
}

export type Pictures = ReturnType<typeof usePictures>;
