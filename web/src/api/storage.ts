// Cloud Storage's JSON API through the console: buckets, objects, uploads in parts that survive a broken network.
import { address, ask, fetchRaw, HEADERS } from "./client";
import { health } from "./health";
import { problemOf, Unreachable } from "./problems";

export interface Bucket {
  name: string;
  location?: string;
  storageClass?: string;
  timeCreated?: string;
}

export interface StoredObject {
  name: string;
  bucket: string;
  size: string;
  contentType?: string;
  timeCreated?: string;
  updated?: string;
  generation?: string;
  crc32c?: string;
  md5Hash?: string;
}

interface Listed<T> {
  items?: T[];
  prefixes?: string[];
  nextPageToken?: string;
}

export interface Folder {
  folders: string[];
  objects: StoredObject[];
  next: string | undefined;
}

const part = encodeURIComponent;

export async function listBuckets(project: string): Promise<Bucket[]> {
  const found: Bucket[] = [];
  let pageToken: string | undefined;
  do {
    const page: Listed<Bucket> = await ask("/storage/storage/v1/b", {
      query: { project, pageToken, maxResults: 1000 },
    });
    found.push(...(page.items ?? []));
    pageToken = page.nextPageToken;
  } while (pageToken);
  return found;
}

export function createBucket(project: string, name: string, location: string): Promise<Bucket> {
  return ask("/storage/storage/v1/b", { method: "POST", query: { project }, body: { name, location } });
}

/** One page of what lies directly below a prefix that ends in a slash (or is empty). */
export async function listFolder(bucket: string, prefix: string, pageToken?: string): Promise<Folder> {
  const page: Listed<StoredObject> = await ask(`/storage/storage/v1/b/${part(bucket)}/o`, {
    query: { prefix, delimiter: "/", maxResults: 500, pageToken },
  });
  return { folders: page.prefixes ?? [], objects: page.items ?? [], next: page.nextPageToken };
}

export function getObject(bucket: string, name: string): Promise<StoredObject> {
  return ask(`/storage/storage/v1/b/${part(bucket)}/o/${part(name)}`);
}

/** Delete one generation: what somebody wrote meanwhile stays. */
export function deleteObject(bucket: string, name: string, generation?: string): Promise<void> {
  return ask(`/storage/storage/v1/b/${part(bucket)}/o/${part(name)}`, {
    method: "DELETE",
    query: { ifGenerationMatch: generation },
  });
}

/** Where a browser fetches an object as a file. */
export function downloadAddress(bucket: string, name: string): string {
  return address(`/storage/storage/v1/b/${part(bucket)}/o/${part(name)}`, { alt: "media" });
}

/** The first bytes of an object, at most `most`; fewer when it is shorter. */
export async function readStart(
  bucket: string,
  name: string,
  most: number,
  signal?: AbortSignal,
): Promise<ArrayBuffer> {
  return readRange(bucket, name, 0, most, signal);
}

export async function readRange(
  bucket: string,
  name: string,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<ArrayBuffer> {
  const answer = await fetch(downloadAddress(bucket, name), {
    headers: { ...HEADERS, range: `bytes=${from}-${to - 1}` },
    signal: signal ?? null,
    credentials: "same-origin",
  });
  if (answer.status === 416) return new ArrayBuffer(0); // an empty object has no range
  if (!answer.ok) throw await problemOf(answer);
  return atMost(answer, to - from);
}

/** The first bytes of an answer: one that is unpacked on its way knows no ranges, and may be a thousand times as long. */
async function atMost(answer: Response, most: number): Promise<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let left = most;
  const reader = answer.body?.getReader();
  while (reader && left > 0) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value.slice(0, left));
    left -= value.length;
  }
  await reader?.cancel();
  return new Blob(parts).arrayBuffer();
}

const CHUNK = 8 << 20;
const PATIENCE = 30;

/** Upload a file as a resumable upload; `progress` gets bytes sent. A broken connection goes on where it was. */
export async function upload(
  bucket: string,
  name: string,
  file: File,
  progress: (sent: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const begun = await fetchRaw(`/storage/upload/storage/v1/b/${part(bucket)}/o`, {
    method: "POST",
    query: { uploadType: "resumable", name },
    body: { name, contentType: file.type || "application/octet-stream" },
    signal,
  });
  const session = new URL(begun.headers.get("location") ?? "", location.href);
  const target = `${address("/storage")}${session.pathname.replace(/^\/console\/api\/storage/, "")}${session.search}`;
  let sent = 0;
  for (let failures = 0; ; ) {
    try {
      const kept = await put(target, file, sent, progress, signal);
      if (kept === undefined) return;
      sent = kept;
      failures = 0;
    } catch (error) {
      if (!(error instanceof Unreachable) || ++failures > PATIENCE) throw error;
      health.lost();
      await new Promise((resolve) => setTimeout(resolve, Math.min(500 * failures, 4000)));
      sent = (await status(target, file.size, signal)) ?? sent;
    }
  }
}

/** Send one chunk; returns how many bytes the server has, undefined when that was the last. */
function put(
  target: string,
  file: File,
  from: number,
  progress: (sent: number) => void,
  signal: AbortSignal,
): Promise<number | undefined> {
  const to = Math.min(from + CHUNK, file.size);
  // Only XMLHttpRequest tells how much of a body has been sent.
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", target);
    for (const [key, value] of Object.entries(HEADERS)) request.setRequestHeader(key, value);
    const range = file.size ? `bytes ${from}-${to - 1}/${file.size}` : "bytes */0";
    request.setRequestHeader("content-range", range);
    request.upload.onprogress = (event) => progress(from + event.loaded);
    request.onerror = () => reject(new Unreachable("upload"));
    request.onabort = () => reject(new DOMException("aborted", "AbortError"));
    request.onload = () => {
      if (request.status === 308) resolve(keptBytes(request.getResponseHeader("range")));
      else if (request.status < 300) resolve(undefined);
      else void problemOf(new Response(request.responseText, { status: request.status })).then(reject);
    };
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(file.slice(from, to));
  });
}

async function status(target: string, size: number, signal: AbortSignal): Promise<number | undefined> {
  try {
    const headers = { ...HEADERS, "content-range": `bytes */${size}` };
    const answer = await fetch(target, { method: "PUT", headers, signal, credentials: "same-origin" });
    health.reached();
    return answer.status === 308 ? keptBytes(answer.headers.get("range")) : undefined;
  } catch {
    return undefined;
  }
}

function keptBytes(range: string | null): number {
  const found = /bytes=0-(\d+)/.exec(range ?? "");
  return found ? Number(found[1]) + 1 : 0;
}
