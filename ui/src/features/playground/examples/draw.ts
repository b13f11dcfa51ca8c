/** Drawings to try a model with, made on the spot: nothing is loaded, nothing has a stranger's licence. */

type Draw = (context: CanvasRenderingContext2D) => void;

const rectangle = (
  context: CanvasRenderingContext2D,
  colour: string,
  area: readonly [number, number, number, number],
) => {
  context.fillStyle = colour;
  context.fillRect(...area);
};

function disc(context: CanvasRenderingContext2D, colour: string, x: number, y: number, radius: number): void {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}

function polygon(
  context: CanvasRenderingContext2D,
  colour: string,
  corners: readonly (readonly [number, number])[],
): void {
  context.fillStyle = colour;
  context.beginPath();
  for (const [x, y] of corners) context.lineTo(x, y);
  context.fill();
}

function words(context: CanvasRenderingContext2D, text: string, x: number, y: number, size: number): void {
  context.fillStyle = "#1a1b1e";
  context.font = `600 ${size}px sans-serif`;
  context.textAlign = "center";
  context.fillText(text, x, y);
}

/** What the demo model knows. */
export const circle: Draw = (context) => {
  disc(context, "#e02020", 112, 112, 70);
};

const house: Draw = (context) => {
  rectangle(context, "#a5d8ff", [0, 0, 640, 300]);
  rectangle(context, "#8ce99a", [0, 300, 640, 180]);
  disc(context, "#ffd43b", 540, 80, 45);
  rectangle(context, "#e8590c", [200, 190, 200, 160]);
  polygon(context, "#862e9c", [[180, 190], [300, 100], [420, 190]]); // prettier-ignore
  rectangle(context, "#495057", [275, 260, 50, 90]);
  rectangle(context, "#fff9db", [220, 220, 40, 40]);
  rectangle(context, "#fff9db", [340, 220, 40, 40]);
};

const tree: Draw = (context) => {
  rectangle(context, "#7f5539", [500, 260, 24, 100]);
  disc(context, "#2b8a3e", 512, 230, 55);
};

const car: Draw = (context) => {
  rectangle(context, "#1971c2", [60, 370, 160, 40]);
  rectangle(context, "#1971c2", [95, 340, 85, 35]);
  disc(context, "#212529", 95, 412, 18);
  disc(context, "#212529", 185, 412, 18);
};

export const scene: Draw = (context) => {
  house(context);
  tree(context);
  car(context);
};

/** The scene with three differences: no tree, no car, the sun at the left. */
export const otherScene: Draw = (context) => {
  house(context);
  rectangle(context, "#a5d8ff", [480, 20, 120, 120]);
  disc(context, "#ffd43b", 100, 80, 45);
};

export const receipt: Draw = (context) => {
  rectangle(context, "#f8f9fa", [140, 20, 360, 440]);
  words(context, "CORNER SHOP", 320, 80, 34);
  const lines = [
    ["Apples", "3.20"],
    ["Bread", "2.75"],
    ["Milk", "1.15"],
    ["Cheese", "6.40"],
    ["TOTAL", "13.50"],
  ] as const;
  lines.forEach(([name, price], index) => {
    words(context, name, 230, 150 + index * 56, 26);
    words(context, price, 420, 150 + index * 56, 26);
  });
  words(context, "2026-03-14 09:26", 320, 440, 20);
};

/** Eleven coins of two kinds. */
export const coins: Draw = (context) => {
  rectangle(context, "#e9ecef", [0, 0, 640, 480]);
  const places = [[90, 90], [230, 70], [370, 110], [520, 80], [150, 220], [310, 240], [470, 230], [570, 330], [90, 380], [260, 390], [420, 380]] as const; // prettier-ignore
  places.forEach(([x, y], index) => {
    disc(context, "#868e96", x, y, 42);
    disc(context, index % 3 ? "#fab005" : "#ced4da", x, y, 38);
  });
};

export const shapes: Draw = (context) => {
  rectangle(context, "#fff", [0, 0, 640, 480]);
  disc(context, "#1971c2", 130, 130, 60);
  rectangle(context, "#2f9e44", [380, 60, 140, 110]);
  polygon(context, "#e8590c", [[120, 420], [220, 420], [170, 310]]); // prettier-ignore
  const star = Array.from({ length: 10 }, (_, index): readonly [number, number] => {
    const radius = index % 2 ? 28 : 70;
    const angle = (index * Math.PI) / 5 - Math.PI / 2;
    return [450 + radius * Math.cos(angle), 340 + radius * Math.sin(angle)];
  });
  polygon(context, "#e03131", star);
};

export const chart: Draw = (context) => {
  rectangle(context, "#fff", [0, 0, 640, 480]);
  words(context, "Orders 2025", 320, 50, 30);
  const bars = [["Q1", 120], ["Q2", 180], ["Q3", 95], ["Q4", 240]] as const; // prettier-ignore
  bars.forEach(([name, value], index) => {
    const left = 90 + index * 130;
    rectangle(context, "#4263eb", [left, 420 - value * 1.3, 80, value * 1.3]);
    words(context, name, left + 40, 455, 24);
    words(context, String(value), left + 40, 410 - value * 1.3, 22);
  });
};

/** A drawing as a file. */
export async function drawn(draw: Draw, name: string, width = 640, height = 480): Promise<File> {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser has no canvas.");
  rectangle(context, "#fff", [0, 0, width, height]);
  draw(context);
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, "image/png");
  });
  return new File(blob ? [blob] : [], name, { type: "image/png" });
}
