/** Sizes in parameters, as people think of them: from, and up to. */
const SIZES = {
  tiny: { least: null, most: 3e9 },
  small: { least: 3e9, most: 1e10 },
  medium: { least: 1e10, most: 4e10 },
  large: { least: 4e10, most: null },
} as const;
export type ModelSize = keyof typeof SIZES;
export const MODEL_SIZES = Object.keys(SIZES) as ModelSize[];

export interface SizeBounds {
  least: number | null;
  most: number | null;
}

/** What a size asks for; without one, anything. */
export const boundsOf = (size: ModelSize | undefined): SizeBounds => (size ? SIZES[size] : { least: null, most: null });
