/** What people try a model that sees with: a question each, and the pictures for it. */
export const EXAMPLES = ["describe", "text", "count", "find", "chart", "compare"] as const;
export type Example = (typeof EXAMPLES)[number];

/** The example's pictures; what draws them is loaded when somebody asks. */
export async function exampleFiles(example: Example | "demo", name: string): Promise<File[]> {
  const draw = await import("./draw");
  const scenes = { describe: draw.scene, text: draw.receipt, count: draw.coins, find: draw.shapes, chart: draw.chart };
  if (example === "demo") return [await draw.drawn(draw.circle, name, 224, 224)];
  if (example !== "compare") return [await draw.drawn(scenes[example], name)];
  return [await draw.drawn(draw.scene, `1-${name}`), await draw.drawn(draw.otherScene, `2-${name}`)];
}
