import {
  IconBooks,
  IconChartBar,
  IconCube,
  IconDatabase,
  IconHistory,
  IconKey,
  IconLayoutDashboard,
  IconMessage2Question,
  IconServer2,
  IconSettings,
  IconUser,
  IconUsers,
} from "@tabler/icons-react";

/** Every page of the navigation, in order, and who may open it. */
export const PAGES = [
  { to: "/dashboard", label: "dashboard.title", Icon: IconLayoutDashboard, role: "user" },
  { to: "/playground", label: "shell.playground", Icon: IconMessage2Question, role: "user" },
  { to: "/catalog", label: "catalog.title", Icon: IconBooks, role: "operator" },
  { to: "/models", label: "shell.models", Icon: IconCube, role: "user" },
  { to: "/nodes", label: "nodes.title", Icon: IconServer2, role: "user" },
  { to: "/files", label: "files.title", Icon: IconDatabase, role: "operator" },
  { to: "/usage", label: "usage.title", Icon: IconChartBar, role: "user" },
  { to: "/keys", label: "shell.keys", Icon: IconKey, role: "user" },
  { to: "/users", label: "users.title", Icon: IconUsers, role: "admin" },
  { to: "/audit", label: "audit.title", Icon: IconHistory, role: "admin" },
  { to: "/settings", label: "shell.settings", Icon: IconSettings, role: "admin" },
] as const;

/** Reached by the account's menu. */
export const PROFILE = { to: "/profile", label: "profile.title", Icon: IconUser, role: "user" } as const;
