import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "./theme.css";
import "./i18n";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { isApiError } from "./api/client";
import { sessionQuery } from "./api/queries";
import { notifyError } from "./components/notify";
import { i18next } from "./i18n";
import { makeRouter } from "./router";
import { theme } from "./theme";

/** A session that ended, or that must change its password, shows its page wherever it was noticed. */
function watchSession(error: unknown): void {
  if (isApiError(error, "unauthenticated")) queries.setQueryData(sessionQuery.queryKey, null);
  if (isApiError(error, "password_change_required")) void queries.invalidateQueries(sessionQuery);
}

const queries = new QueryClient({
  queryCache: new QueryCache({ onError: watchSession }),
  mutationCache: new MutationCache({
    onError: (error, _variables, _context, mutation) => {
      watchSession(error);
      if (!mutation.meta?.quiet) notifyError(error);
    },
  }),
  defaultOptions: { queries: { retry: 1, staleTime: 5_000 } },
});

// Sentences of the server come in the language of the request.
i18next.on("languageChanged", () => void queries.invalidateQueries());

// After an upgrade this page asks for files of the old version, which are gone: load the new one.
window.addEventListener("vite:preloadError", () => {
  window.location.reload();
});

const root = document.getElementById("root");
if (!root) throw new Error("The page has no #root.");

createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queries}>
        <Notifications position="top-center" />
        <RouterProvider router={makeRouter(queries)} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
