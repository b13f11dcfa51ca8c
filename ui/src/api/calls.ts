/** Every management call that the page makes, by one name each; answers are the bare data. */
import "./client";
import * as sdk from "./generated/sdk.gen";
import type {
  AliasSpec,
  DeploymentPatch,
  DeploymentSpecInput,
  DownloadRequest,
  ImageTokensView,
  ImportRequest,
  KeyPatch,
  KeyRequest,
  LoginRequest,
  PasswordRequest,
} from "./generated/types.gen";

export type UsageGroup = "model" | "key" | "user";

const name = (deployment: string): { path: { name: string } } => ({ path: { name: deployment } });

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
  deploymentMemory: async (deployment: string) => (await sdk.readDeploymentMemory(name(deployment))).data,
  imageTokens: async (deployment: string, width: number, height: number): Promise<ImageTokensView> => {
    const { items } = (await sdk.countImageTokens({ ...name(deployment), body: { pictures: [{ width, height }] } }))
      .data;
    return items[0] ?? { tokens: null, exact: false, seen_width: null, seen_height: null };
  },
  fit: async (body: DeploymentSpecInput, signal: AbortSignal) => (await sdk.fit({ body, signal })).data,
  log: async (replica: string, attempt: number | null, offset: number, signal: AbortSignal) =>
    (
      await sdk.readReplicaLog({
        path: { replica_id: replica },
        query: attempt === null ? { offset } : { attempt, offset },
        signal,
      })
    ).data,

  /** YAML of these models. */
  exportDeployments: async (names: readonly string[]) =>
    (await sdk.exportManifest({ query: { name: [...names] }, parseAs: "text" })).data,

  aliases: async () => (await sdk.listAliases()).data.items,
  putAlias: async (alias: string, body: AliasSpec) => (await sdk.putAlias({ ...name(alias), body })).data,
  deleteAlias: async (alias: string) => {
    await sdk.deleteAlias(name(alias));
  },

  nodes: async () => (await sdk.listNodes()).data.items,
  labelNode: async (node: string, labels: Record<string, string | null>) => {
    await sdk.labelNode({ path: { node }, body: { labels } });
  },
  drainNode: async (node: string) => {
    await sdk.drainNode({ path: { node } });
  },
  undrainNode: async (node: string) => {
    await sdk.undrainNode({ path: { node } });
  },

  keys: async () => (await sdk.listKeys()).data.items,
  createKey: async (body: KeyRequest) => (await sdk.createKey({ body })).data,
  editKey: async (id: string, body: KeyPatch) => (await sdk.editKey({ path: { key_id: id }, body })).data,
  usage: async (days: number, by: UsageGroup) => (await sdk.listUsage({ query: { days, by: [by] } })).data.items,
  deleteKey: async (id: string) => {
    await sdk.deleteKey({ path: { key_id: id } });
  },

  files: async () => (await sdk.listFiles()).data,
  /** Have a model's files on nodes before anybody deploys it. */
  addFiles: async (body: DownloadRequest) => {
    await sdk.downloadFiles({ body });
  },
  /** Copy a model's files from a folder on a node into its store. */
  importFiles: async (body: ImportRequest) => {
    await sdk.importFiles({ body });
  },
  orderFiles: async (node: string, key: string, action: "pause" | "resume" | "retry") => {
    await sdk.orderFiles({ path: { node_id: node, key, action } });
  },
  deleteFiles: async (node: string, key: string) => {
    await sdk.deleteFiles({ path: { node_id: node, key } });
  },
};
