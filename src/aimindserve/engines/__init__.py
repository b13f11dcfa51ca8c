"""Pure recipes of inference engines, one file each."""
