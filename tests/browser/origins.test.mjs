// Which pages may use a server that listens on loopback: those of loopback origins, under a loopback name.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { after, before, test } from 'node:test';
import { foreignHost, launch, server } from './browser.mjs';

const create = `mutation Create($input: CreateArticleInput!) {
  createArticle(input: $input) { article { externalId } userErrors { message } }
}`;

let browser, pages, port;

before(async () => {
  browser = await launch();
  pages = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>another site</title>');
  }).listen(0, '127.0.0.1');
  await once(pages, 'listening');
  ({ port } = pages.address());
});

after(async () => {
  await browser.close();
  pages.closeAllConnections();
  pages.close();
});

/** From a page of `origin`, creates an article by `fetch`; returns what the page got and what the server stored. */
async function createFrom(origin, options) {
  const externalId = `browser-test-${randomUUID()}`;
  const page = await browser.newPage();
  await page.goto(origin);
  const body = JSON.stringify({
    query: create,
    variables: { input: { externalId, title: 'From another origin', content: 'A page sent this.' } },
  });
  const answer = await page.evaluate(
    async ({ url, options }) => {
      try {
        const response = await fetch(url, options);
        return { type: response.type, body: await response.text() };
      } catch (error) {
        return { refused: error.name };
      }
    },
    { url: `${server}/graphql`, options: { method: 'POST', body, ...options } },
  );
  await page.close();
  return { answer, stored: await isStored(externalId), externalId };
}

async function isStored(externalId) {
  const response = await fetch(`${server}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      query: 'query Stored($externalId: String!) { articleByExternalId(externalId: $externalId) { id } }',
      variables: { externalId },
    }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined);
  return data.articleByExternalId !== null;
}

const json = { headers: { 'content-type': 'application/json' } };

for (const host of ['127.0.0.1', 'localhost']) {
  test(`a page of another port of ${host} may write`, async () => {
    const { answer, stored, externalId } = await createFrom(`http://${host}:${port}`, json);

    assert.equal(answer.type, 'cors', JSON.stringify(answer));
    assert.deepEqual(JSON.parse(answer.body), {
      data: { createArticle: { article: { externalId }, userErrors: [] } },
    });
    assert.ok(stored);
  });
}

test('a page of another site is stopped by the preflight', async () => {
  const { answer, stored } = await createFrom(`http://${foreignHost}:${port}`, json);

  assert.deepEqual(answer, { refused: 'TypeError' });
  assert.ok(!stored);
});

for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
  test(`a page of another site cannot avoid the preflight with ${type}`, async () => {
    const { answer, stored } = await createFrom(`http://${foreignHost}:${port}`, {
      mode: 'no-cors',
      headers: { 'content-type': type },
    });

    assert.equal(answer.type, 'opaque', JSON.stringify(answer));
    assert.ok(!stored);
  });
}

test('a site whose name was rebound to loopback gets nothing', async () => {
  const page = await browser.newPage();
  const response = await page.goto(`http://${foreignHost}:${new URL(server).port}/`);
  assert.ok([403, 421].includes(response.status()), `GET /: ${response.status()}`);
  await page.close();

  const status = await statusUnderHost(foreignHost);
  assert.ok([403, 421].includes(status), `POST /graphql: ${status}`);
});

test('the same request under a loopback name is answered', async () => {
  assert.equal(await statusUnderHost(new URL(server).host), 200);
});

async function statusUnderHost(host) {
  const sent = request(`${server}/graphql`, { method: 'POST', headers: { host, 'content-type': 'application/json' } });
  sent.end(JSON.stringify({ query: '{ __typename }' }));
  const [response] = await once(sent, 'response');
  response.resume();
  return response.statusCode;
}
