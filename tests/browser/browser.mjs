// The browser and the server under test, for all tests in this folder.

import { chromium } from 'playwright-core';

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
