import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { Gate } from "./Gate";
import { PasswordPage } from "./features/session/PasswordPage";
import { NotFound } from "./NotFound";
import { auditSearch } from "./features/audit/search";
import { catalogSearch } from "./features/catalog/search";
import { dashboardSearch } from "./features/dashboard/search";
import { filesSearch } from "./features/files/search";
import { keysSearch } from "./features/keys/search";
import { modelsSearch } from "./features/models/search";
import { playgroundSearch } from "./features/playground/search";
import { enginesSearch } from "./features/settings/engines/search";
import { usageSearch } from "./features/usage/search";
import { usersSearch } from "./features/users/search";

const rootRoute = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: Gate,
  notFoundComponent: NotFound,
});

const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  beforeLoad: () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the router's way to send the reader elsewhere
    throw redirect({ to: "/dashboard" });
  },
});

const dashboardRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/dashboard",
  validateSearch: dashboardSearch,
  component: lazyRouteComponent(() => import("./features/dashboard/DashboardPage"), "DashboardPage"),
});

const usersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/users",
  validateSearch: usersSearch,
  component: lazyRouteComponent(() => import("./features/users/UsersPage"), "UsersPage"),
});

const auditRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/audit",
  validateSearch: auditSearch,
  component: lazyRouteComponent(() => import("./features/audit/AuditPage"), "AuditPage"),
});

const profileRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/profile",
  component: lazyRouteComponent(() => import("./features/profile/ProfilePage"), "ProfilePage"),
});

const playgroundRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/playground",
  validateSearch: playgroundSearch,
  component: lazyRouteComponent(() => import("./features/playground/PlaygroundPage"), "PlaygroundPage"),
});

const modelsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/models",
  validateSearch: modelsSearch,
  component: lazyRouteComponent(() => import("./features/models/ModelsPage"), "ModelsPage"),
});

const catalogRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/catalog",
  validateSearch: catalogSearch,
  component: lazyRouteComponent(() => import("./features/catalog/CatalogPage"), "CatalogPage"),
});

const filesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/files",
  validateSearch: filesSearch,
  component: lazyRouteComponent(() => import("./features/files/FilesPage"), "FilesPage"),
});

const nodesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/nodes",
  component: lazyRouteComponent(() => import("./features/nodes/NodesPage"), "NodesPage"),
});

const keysRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/keys",
  validateSearch: keysSearch,
  component: lazyRouteComponent(() => import("./features/keys/KeysPage"), "KeysPage"),
});

const usageRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/usage",
  validateSearch: usageSearch,
  component: lazyRouteComponent(() => import("./features/usage/UsagePage"), "UsagePage"),
});

const settingsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings",
  component: lazyRouteComponent(() => import("./features/settings/SettingsPage"), "SettingsPage"),
});

const enginesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/settings/engines",
  validateSearch: enginesSearch,
  component: lazyRouteComponent(() => import("./features/settings/engines/EnginesPage"), "EnginesPage"),
});

const passwordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/password",
  component: PasswordPage,
});

const routeTree = rootRoute.addChildren([
  indexRoute,
  dashboardRoute,
  playgroundRoute,
  catalogRoute,
  modelsRoute,
  nodesRoute,
  filesRoute,
  usageRoute,
  keysRoute,
  usersRoute,
  auditRoute,
  settingsRoute,
  enginesRoute,
  profileRoute,
  passwordRoute,
]);

export function makeRouter(queries: QueryClient) {
  return createRouter({ routeTree, context: { queries }, defaultPreload: "intent", scrollRestoration: false });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
