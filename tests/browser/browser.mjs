// The browser and the server under test, for all tests in this folder.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const { SERVER_URL, CHROMIUM = '/usr/bin/chromium' } = process.env;
if (!SERVER_URL) {
  throw new Error('SERVER_URL is not set: start sentio on sample articles and pass its address, http://127.0.0.1:8000 for instance');
}

/** The server's address, without a path. */
export const server = new URL(SERVER_URL).origin;

/** A name that is not loopback and that the browser resolves to 127.0.0.1, as after a DNS rebinding. */
export const foreignHost = 'evil.example';

export function launch() {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP ${foreignHost} 127.0.0.1`,
    ],
  });
}

/** What assistive technology could not use of this page, by axe. */
export function violations(page) {
  return page.evaluate(`${axe}; axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`);
}
