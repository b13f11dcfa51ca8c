/** Every management call that the page makes, by one name each; answers are the bare data. */
import "./client";
import type { DownloadRequest, FilesView } from "./filesTypes";
import { client } from "./generated/client.gen";
import * as sdk from "./generated/sdk.gen";
import type {
  DeploymentPatch,
  DeploymentSpecInput,
  KeyRequest,
  LoginRequest,
  PasswordRequest,
} from "./generated/types.gen";

const name = (deployment: string): { path: { name: string } } => ({ path: { name: deployment } });

async function rest<T>(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
  const answer = await client.request({
    method,
    url: `/api/v1${path}`,
    body,
    throwOnError: true,
    headers: body === undefined ? {} : { "content-type": "application/json" },
  });
  return answer.data as T;
}

export const api = {
  loginHint: async () => (await sdk.loginHint()).data,
  session: async () => (await sdk.readSession()).data,
  login: async (body: LoginRequest) => (await sdk.login({ body })).data,
  logout: async () => {
    await sdk.logout();
  },
  changePassword: async (body: PasswordRequest) => {
    await sdk.changePassword({ body });
  },

  deployments: async () => (await sdk.listDeployments()).data.items,
  createDeployment: async (body: DeploymentSpecInput) => (await sdk.createDeployment({ body })).data,
  /** Refused when somebody else changed the deployment after `revision` was read. */
  editDeployment: async (deployment: string, revision: number, body: DeploymentPatch) =>
    (await sdk.editDeployment({ ...name(deployment), body, headers: { "if-match": `"${revision}"` } })).data,
  start: async (deployment: string) => {
    await sdk.startDeployment(name(deployment));
  },
  stop: async (deployment: string) => {
    await sdk.stopDeployment(name(deployment));
  },
  restart: async (deployment: string) => {
    await sdk.restartDeployment(name(deployment));
  },
  scale: async (deployment: string, replicas: number) => {
    await sdk.scaleDeployment({ ...name(deployment), body: { replicas } });
  },
  deleteDeployment: async (deployment: string) => {
    await sdk.deleteDeployment(name(deployment));
  },
  deploymentEvents: async (deployment: string) => (await sdk.listDeploymentEvents(name(deployment))).data.items,
  fit: async (body: DeploymentSpecInput, signal: AbortSignal) => (await sdk.fit({ body, signal })).data,
  log: async (replica: string, attempt: number | null, offset: number, signal: AbortSignal) =>
    (
      await sdk.readReplicaLog({
        path: { replica_id: replica },
        query: attempt === null ? { offset } : { attempt, offset },
        signal,
      })
    ).data,

  keys: async () => (await sdk.listKeys()).data.items,
  createKey: async (body: KeyRequest) => (await sdk.createKey({ body })).data,
  deleteKey: async (id: string) => {
    await sdk.deleteKey({ path: { key_id: id } });
  },

  files: async () => await rest<FilesView>("GET", "/files"),
  addFiles: async (body: DownloadRequest) => {
    await rest("POST", "/files", body);
  },
  orderFiles: async (node: string, key: string, action: "pause" | "resume" | "retry") => {
    await rest("POST", `/files/${node}/${key}/${action}`);
  },
  deleteFiles: async (node: string, key: string) => {
    await rest("DELETE", `/files/${node}/${key}`);
  },
};
