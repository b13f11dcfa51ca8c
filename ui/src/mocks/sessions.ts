import type { ServerResponse } from "node:http";
import { NOW } from "./data.ts";
import type { Body } from "./http.ts";
import { json, problem } from "./http.ts";
import type { World } from "./world.ts";

const session = (world: World): unknown => ({
  username: "admin",
  role: "admin",
  must_change_password: world.mustChange,
  expires_at: NOW + 86_400,
});

/** Login, logout, passwords; and that nothing else is there for strangers. */
export function sessions(world: World, method: string, path: string, body: Body, response: ServerResponse): boolean {
  if (path === "/session/hint") {
    json(response, 200, { initial_password_file: "/var/lib/aimindserve/initial_admin_password", version: "0.1.0" });
  } else if (path === "/session" && method === "POST") {
    world.loggedIn = body.username === "admin" && body.password === world.password;
    if (world.loggedIn) json(response, 200, session(world));
    else
      problem(
        response,
        401,
        "login_failed",
        "The user name or the password is wrong.",
        "Try again; an administrator can reset a password with: aimindserve reset-admin-password",
      );
  } else if (!world.loggedIn) {
    problem(response, 401, "unauthenticated", "Nobody is logged in.", "Log in.");
  } else if (path === "/session" && method === "DELETE") {
    world.loggedIn = false;
    json(response, 204, null);
  } else if (path === "/session/password") {
    world.password = String(body.new);
    world.mustChange = false;
    json(response, 200, session(world));
  } else if (path === "/session") {
    json(response, 200, session(world));
  } else {
    return false;
  }
  return true;
}
