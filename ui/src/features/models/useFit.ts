import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api } from "@/api/calls";
import type { DeploymentSpecInput, FitReport } from "@/api/generated/types.gen";

/** While somebody types, each letter would ask anew. */
const WAIT_MS = 300;

export interface Fit {
  report: FitReport | undefined;
  error: unknown;
  checking: boolean;
}

/** What deploying `spec` would mean, asked whenever it changes; nothing while it is null. */
export function useFit(spec: DeploymentSpecInput | null): Fit {
  const [settled] = useDebouncedValue(spec, WAIT_MS);
  const key = JSON.stringify(settled);
  const query = useQuery({
    queryKey: ["fit", key],
    queryFn: ({ signal }) => api.fit(JSON.parse(key) as DeploymentSpecInput, signal),
    enabled: settled !== null,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const stale = JSON.stringify(spec) !== key;
  if (spec === null) return { report: undefined, error: null, checking: false };
  // Looking again because something happened elsewhere is no reason to say that an answer is awaited.
  return { report: query.data, error: query.error, checking: stale || query.isPending || query.isPlaceholderData };
}
