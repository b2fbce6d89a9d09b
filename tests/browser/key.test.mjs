// The field for a key, in both pages: on a server that lets strangers neither read nor write, and on one that lets them read.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { launch, server, violations } from './browser.mjs';
import { startProxy } from './proxy.mjs';
import { create, createUntil, send, Sentio } from './sentio.mjs';

const KEY = 'k1-of-the-test';
const UNAUTHENTICATED = { message: 'reading needs a key', extensions: { code: 'UNAUTHENTICATED' } };

let browser, page, problems;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

beforeEach(async () => {
  problems = [];
  page = await browser.newPage();
  page.on('console', message => {
    const refused = /Failed to load resource: .* 401 /.test(message.text());
    if (message.type() === 'error' && !refused) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', error => problems.push(`page error: ${error}`));
  page.on('request', request => {
    if (request.url().includes(KEY)) problems.push(`the key is in an address: ${request.url()}`);
  });
});

afterEach(async () => {
  await page.close();
  assert.deepEqual(problems, []);
});

const field = () => page.locator('form.key');

async function giveKey(key) {
  await field().getByLabel('Key').fill(key);
  await field().getByRole('button', { name: 'Use this key' }).click();
}

/** Chooses the example with this operation in the playground. */
async function chooseTab(operation) {
  await page.getByRole('tab', { name: operation }).click();
  await page.waitForFunction(name => {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem('graphiql:tabState'));
    return tabs[activeTabIndex].operationName === name;
  }, operation);
}

/** The ways in which a server may refuse the parameters of a connection. */
const refusals = {
  'closes with 4401': socket => socket.close({ code: 4401, reason: 'Unauthorized' }),
  'closes with 4403': socket => socket.close({ code: 4403, reason: 'Forbidden' }),
  'refuses each operation': (socket, { type, id }) => {
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
    if (type === 'ping') socket.send('{"type":"pong"}');
    if (type === 'subscribe') socket.send(JSON.stringify({ type: 'error', id, payload: [UNAUTHENTICATED] }));
  },
  'answers each operation with an error': (socket, { type, id }) => {
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
    if (type === 'ping') socket.send('{"type":"pong"}');
    if (type !== 'subscribe') return;
    socket.send(JSON.stringify({ type: 'next', id, payload: { data: null, errors: [UNAUTHENTICATED] } }));
    socket.send(JSON.stringify({ type: 'complete', id }));
  },
};

/** Has WebSockets of the page refused unless their parameters hold the key. Returns the parameters of each connection. */
async function refuseSockets(refuse) {
  const parameters = [];
  await page.routeWebSocket(/\/graphql$/, socket => {
    const onward = socket.connectToServer();
    let known = false;
    socket.onMessage(text => {
      const message = JSON.parse(text);
      if (message.type === 'connection_init') {
        parameters.push(message.payload ?? {});
        known = Object.values(message.payload ?? {}).includes(`Bearer ${KEY}`);
      }
      if (known) onward.send(text);
      else refuse(socket, message);
    });
  });
  return parameters;
}

describe('where strangers may not read', () => {
  let proxy;

  before(async () => {
    proxy = await startProxy(server, {
      refuse({ url, headers }) {
        const known = headers.authorization === `Bearer ${KEY}`;
        return url.startsWith('/graphql') && !known ? { status: 401, body: { errors: [UNAUTHENTICATED] } } : undefined;
      },
    });
  });

  after(() => proxy.close());

  for (const [way, refuse] of Object.entries(refusals)) {
    test(`the reader asks for the key and goes on with it; the server ${way}`, async () => {
      const parameters = await refuseSockets(refuse);
      await page.goto(`${proxy.url}/reader/`);
      await field().getByText('The server asks for a key.').waitFor();
      await page.locator('.live', { hasText: 'Not live: a key is needed' }).waitFor();
      assert.equal(await page.locator('.card').count(), 0);

      await giveKey('another');
      await field().getByText('The server does not accept the key.').waitFor();
      await giveKey(` ${KEY} `);
      await page.locator('.card').first().waitFor();
      await page.locator('.live', { hasText: /^Live/ }).waitFor();
      assert.equal(await field().count(), 0);
      assert.deepEqual(parameters.map(({ Authorization }) => Authorization).at(-1), `Bearer ${KEY}`);
      await create(server, `Heard with a key ${way}`);
      await page.locator('.live', { hasText: `Heard with a key ${way}` }).waitFor();

      await page.reload();
      await page.locator('.card').first().waitFor();
      assert.equal(await field().count(), 0);
    });

    test(`the playground asks for the key and goes on with it; the server ${way}`, async () => {
      const parameters = await refuseSockets(refuse);
      await page.goto(proxy.url);
      await field().getByText('The server asks for a key.').waitFor();
      await giveKey('another');
      await field().getByText('The server does not accept the key.').waitFor();
      // Over a WebSocket, too.
      await chooseTab('ArticleChanged');
      await page.getByRole('button', { name: /execute query/i }).click();
      await page.locator('.result-window .view-lines', { hasText: /UNAUTHENTICATED|440[13]/ }).waitFor();

      await giveKey(KEY);
      const editor = page.locator('.graphiql-query-editor');
      await field().waitFor({ state: 'detached' });
      await chooseTab('SearchByMeaning');
      await page.getByRole('button', { name: /execute query/i }).click();
      await page.locator('.result-window .view-lines', { hasText: 'Carbonara' }).waitFor();
      // The schema was asked for again.
      await editor.locator('.view-lines').click();
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.insertText('query Status { indexStatus { nonsense } }');
      await editor.locator('.squiggly-error').first().waitFor();

      await chooseTab('ArticleChanged');
      await page.getByRole('button', { name: /execute query/i }).click();
      await createUntil(server, 'Told with a key', page.locator('.result-window .view-lines', { hasText: 'articleChanged' }));
      assert.deepEqual(parameters.at(-1), { authorization: `Bearer ${KEY}` });
    });
  }

  test('a key that the server revokes is asked for again', async () => {
    await refuseSockets(refusals['closes with 4403']);
    await page.goto(`${proxy.url}/reader/`);
    await giveKey(KEY);
    await page.locator('.card').first().waitFor();
    await page.evaluate(() => {
      for (const name of Object.keys(sessionStorage)) sessionStorage.setItem(name, 'revoked');
    });
    await page.reload();
    await field().getByText('The server does not accept the key.').waitFor();
    await field().getByRole('button', { name: 'Go on without one' }).click();
    await field().getByText('The server asks for a key.').waitFor();
  });
});

describe('where strangers may read and not write', () => {
  const sentio = new Sentio({ SENTIO_API_KEYS: KEY });

  before(() => sentio.start());

  after(() => sentio.remove());

  async function stored(title) {
    const { data } = await send(sentio.url, '{ articles(first: 100) { nodes { title } } }');
    return data.articles.nodes.some(article => article.title === title);
  }

  test('the reader reads without a key, asks for one on publishing, and publishes', async () => {
    await page.goto(`${sentio.url}/reader/`);
    await page.locator('.card').first().waitFor();
    await page.locator('.live', { hasText: /^Live/ }).waitFor();
    assert.equal(await field().count(), 0);

    await page.getByRole('link', { name: 'Write' }).click();
    await page.getByLabel('Title').fill('Published with a key');
    await page.getByLabel('Text').fill('Something to read.');
    await page.getByRole('button', { name: 'Publish' }).click();
    await field().waitFor();
    assert.deepEqual(await violations(page), []);
    assert.ok(!(await stored('Published with a key')));

    await giveKey(KEY);
    await page.getByRole('heading', { level: 1, name: 'Published with a key' }).waitFor();
    assert.equal(await field().count(), 0);
    await page.locator('.live', { hasText: /^Live/ }).waitFor();
  });

  test('whoever has no key goes on reading', async () => {
    await page.goto(`${sentio.url}/reader/#/write`);
    await page.getByLabel('Title').fill('Never published');
    await page.getByLabel('Text').fill('Something to read.');
    await page.getByRole('button', { name: 'Publish' }).click();
    await field().getByRole('button', { name: 'Go on without one' }).click();
    assert.equal(await field().count(), 0);
    await page.getByRole('link', { name: 'Reader' }).click();
    await page.locator('.card').first().waitFor();
    assert.ok(!(await stored('Never published')));
  });

  test('the playground asks for one when a mutation is refused', async () => {
    await page.goto(sentio.url);
    await page.locator('.graphiql-query-editor .view-lines').waitFor();
    await chooseTab('CreateArticle');
    await page.getByRole('button', { name: /execute query/i }).click();
    await field().waitFor();
    await giveKey(KEY);
    await field().waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /execute query/i }).click();
    await page.locator('.result-window .view-lines', { hasText: 'INDEXED' }).waitFor();
  });
});

describe('where strangers may neither read nor write, by SENTIO_ANONYMOUS', () => {
  const sentio = new Sentio({ SENTIO_API_KEYS: KEY, SENTIO_ANONYMOUS: 'none' });

  before(() => sentio.start());

  after(() => sentio.remove());

  test('the reader asks for the key, shows articles and is live', async () => {
    await page.goto(`${sentio.url}/reader/`);
    await field().getByText('The server asks for a key.').waitFor();
    await giveKey('another');
    await field().getByText('The server does not accept the key.').waitFor();
    await giveKey(KEY);
    await page.locator('.card').first().waitFor();
    await page.locator('.live', { hasText: /^Live/ }).waitFor();
    await create(sentio.url, 'Heard with a key', KEY);
    await page.locator('.live', { hasText: 'Heard with a key' }).waitFor();
  });

  test('the playground asks for the key, runs a query and hears a subscription', async () => {
    await page.goto(sentio.url);
    await field().getByText('The server asks for a key.').waitFor();
    await giveKey(KEY);
    await field().waitFor({ state: 'detached' });
    await chooseTab('SimilarArticles');
    await page.getByRole('button', { name: /execute query/i }).click();
    await page.locator('.result-window .view-lines', { hasText: 'Carbonara' }).waitFor();
    await chooseTab('ArticleChanged');
    await page.getByRole('button', { name: /execute query/i }).click();
    await createUntil(sentio.url, 'Told with a key', page.locator('.result-window .view-lines', { hasText: 'articleChanged' }), KEY);
  });
});
