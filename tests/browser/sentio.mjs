// Servers of a test's own: to be stopped and started again, or with other settings than the common one.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const { SERVER_BINARY, PATH } = process.env;
if (!SERVER_BINARY) throw new Error('SERVER_BINARY is not set: run the tests by scripts/test-browser.sh');

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A folder with the sample articles, and the server on it, which can be stopped and started. */
export class Sentio {
  #folder = mkdtempSync(join(tmpdir(), 'sentio-browser-'));
  #settings;
  #process;
  url;

  constructor(settings = {}) {
    this.#settings = settings;
  }

  /** Starts on this port, or on a free one; resolves when the server is ready. */
  async start(port = 0) {
    this.#process = spawn(SERVER_BINARY, ['serve', '--samples', '--port', String(port)], {
      cwd: this.#folder,
      env: {
        PATH,
        HOME: this.#folder,
        SENTIO_DATA_DIR: join(this.#folder, 'data'),
        SENTIO_MODEL_DIR: join(root, 'models'),
        SENTIO_ORT_LIB: join(root, 'lib/libonnxruntime.so'),
        ...this.#settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    this.#process.stderr.on('data', text => (log = `${log}${text}`.slice(-4000)));
    for await (const line of createInterface(this.#process.stdout)) {
      const [, url] = line.match(/^Sentio is ready: (http:\/\/[^/ ]*)/) ?? [];
      if (url) {
        this.url = url;
        this.#process.stdout.resume();
        return this;
      }
    }
    throw new Error(`the server ended: ${log}`);
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  async stop() {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
  }

  /** Stops the server and removes its articles. */
  async remove() {
    if (this.#process) await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Sends an operation as a client outside of the browser. */
export async function send(url, query, variables, key) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

/** Creates an article as a client outside of the browser. */
export async function create(url, title, key) {
  const { data, errors } = await send(
    url,
    'mutation($input: CreateArticleInput!) { createArticle(input: $input) { article { id title } } }',
    { input: { title, content: `Words about ${title}.` } },
    key,
  );
  if (!data?.createArticle) throw new Error(JSON.stringify(errors));
  return data.createArticle.article;
}

/** Creates articles with this title until the page shows it: nothing tells when a subscription begins to hear. */
export async function createUntil(url, title, shown, key) {
  let waits = true;
  const waiting = shown.waitFor().finally(() => (waits = false));
  while (waits) await create(url, title, key);
  await waiting;
}
