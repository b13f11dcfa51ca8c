/** Conversations in the browser's own database: heads for the list, bodies with the pictures. Each person who logs in
 * here has conversations of their own. */
import { surplus } from "./bounds";
import type { Head, Saved } from "./format";
import { headOf, readSaved } from "./format";

const VERSION = 1;
const HEADS = "heads";
const BODIES = "bodies";

const nameFor = (owner: string): string => `aimindserve-playground-${owner}`;

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("The browser's database failed."));
    };
  });
}

function open(owner: string): Promise<IDBDatabase> {
  const request = indexedDB.open(nameFor(owner), VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(HEADS, { keyPath: "id" });
    request.result.createObjectStore(BODIES, { keyPath: "id" });
  };
  return done(request);
}

/** Runs `work` in one transaction and waits until it is written. */
async function within<T>(
  owner: string,
  mode: IDBTransactionMode,
  work: (heads: IDBObjectStore, bodies: IDBObjectStore) => Promise<T>,
): Promise<T> {
  const database = await open(owner);
  try {
    const transaction = database.transaction([HEADS, BODIES], mode);
    const written = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => {
        resolve();
      };
      transaction.onabort = () => {
        reject(transaction.error ?? new Error("The browser's database is full."));
      };
    });
    const [answer] = await Promise.all([
      work(transaction.objectStore(HEADS), transaction.objectStore(BODIES)),
      written,
    ]);
    return answer;
  } finally {
    database.close();
  }
}

const allHeads = (heads: IDBObjectStore): Promise<Head[]> => done(heads.getAll() as IDBRequest<Head[]>);

/** Newest first. */
export async function listHeads(owner: string): Promise<Head[]> {
  const heads = await within(owner, "readonly", allHeads);
  return heads.sort((a, b) => b.at - a.at);
}

export async function load(owner: string, id: string): Promise<Saved | null> {
  return readSaved(await within(owner, "readonly", (_, bodies) => done(bodies.get(id) as IDBRequest<unknown>)));
}

export async function loadAll(owner: string): Promise<Saved[]> {
  const all = await within(owner, "readonly", (_, bodies) => done(bodies.getAll() as IDBRequest<unknown[]>));
  return all.map(readSaved).filter((saved) => saved !== null);
}

/** Keeps conversations; the oldest ones go where there are too many. */
export async function save(owner: string, conversations: readonly Saved[]): Promise<void> {
  await within(owner, "readwrite", async (heads, bodies) => {
    await Promise.all(conversations.flatMap((saved) => [done(heads.put(headOf(saved))), done(bodies.put(saved))]));
    for (const { id } of surplus(await allHeads(heads))) {
      heads.delete(id);
      bodies.delete(id);
    }
  });
}

export async function remove(owner: string, ids: readonly string[]): Promise<void> {
  await within(owner, "readwrite", async (heads, bodies) => {
    await Promise.all(ids.flatMap((id) => [done(heads.delete(id)), done(bodies.delete(id))]));
  });
}
