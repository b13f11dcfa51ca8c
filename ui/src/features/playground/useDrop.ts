import type { DragEvent } from "react";
import { useState } from "react";

/** Takes files that are dropped anywhere on an element. `over`: files hang above it now. */
export function useDrop(enabled: boolean, onFiles: (files: FileList) => void) {
  const [over, setOver] = useState(false);
  const handle = (event: DragEvent): void => {
    if (!enabled || !event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(event.type === "dragover");
    if (event.type === "drop") onFiles(event.dataTransfer.files);
  };
  return { over, handlers: { onDragOver: handle, onDragLeave: handle, onDrop: handle } };
}
