// The browser's own EventSource on the event stream. It subscribes anew after every end that it was not told of.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, server } from './browser.mjs';
import { startProxy } from './proxy.mjs';

/** Longer than the three seconds after which Chromium's EventSource connects again. */
const RECONNECTED_MS = 4000;

let browser, proxy;

before(async () => {
  browser = await launch();
  proxy = await startProxy(server);
});

after(async () => {
  await browser.close();
  await proxy.close();
});

for (const [name, query] of [
  ['a query', '{ articleByExternalId(externalId: "sample-carbonara") { title } }'],
  ['a query that fails', '{ recommend { score } }'],
]) {
  test(`EventSource hears next and complete of ${name}, and connects once`, async () => {
    const page = await browser.newPage();
    await page.goto(`${proxy.url}/reader/`);
    const events = await page.evaluate(
      query =>
        new Promise((resolve, reject) => {
          const source = new EventSource(`/graphql?${new URLSearchParams({ query })}`);
          const heard = [];
          source.addEventListener('next', ({ data }) => heard.push(['next', JSON.parse(data)]));
          source.addEventListener('complete', () => {
            source.close();
            resolve([...heard, ['complete']]);
          });
          source.addEventListener('error', () => reject(new Error(`no complete event after ${JSON.stringify(heard)}`)));
        }),
      query,
    );
    assert.deepEqual(events.map(([type]) => type), ['next', 'complete']);
    assert.ok(events[0][1].data?.articleByExternalId?.title || events[0][1].errors, JSON.stringify(events));

    await page.waitForTimeout(RECONNECTED_MS);
    const streams = proxy.requests.filter(({ url }) => url.includes(new URLSearchParams({ query }).toString()));
    assert.equal(streams.length, 1);
    await page.close();
  });
}
