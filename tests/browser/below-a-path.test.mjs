// Both pages behind a proxy that serves Sentio below a path of its own.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, server } from './browser.mjs';
import { startProxy } from './proxy.mjs';
import { createUntil } from './sentio.mjs';

let browser, proxy, page, problems;

before(async () => {
  browser = await launch();
  proxy = await startProxy(server, { path: '/sentio' });
});

after(async () => {
  await browser.close();
  await proxy.close();
});

beforeEach(async () => {
  problems = [];
  page = await browser.newPage();
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', error => problems.push(`page error: ${error}`));
  const below = address => {
    if (!address.startsWith('data:') && !address.replace('ws:', 'http:').startsWith(`${proxy.url}/`)) problems.push(address);
  };
  page.on('request', request => below(request.url()));
  page.on('websocket', socket => below(socket.url()));
});

afterEach(async () => {
  await page.close();
  assert.deepEqual(problems, []);
});

test('the playground loads, knows the schema, runs a query and hears a subscription', async () => {
  await page.goto(`${proxy.url}/`);
  const editor = page.locator('.graphiql-query-editor');
  await editor.locator('.view-lines', { hasText: 'SearchByMeaning' }).waitFor();
  await page.getByRole('button', { name: /execute query/i }).click();
  await page.locator('.result-window .view-lines', { hasText: 'Carbonara' }).waitFor();

  await editor.locator('.view-lines').click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText('query Status { indexStatus { nonsense } }');
  await editor.locator('.squiggly-error').first().waitFor();

  await page.getByRole('tab', { name: 'ArticleChanged' }).click();
  await page.waitForFunction(() => {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem('graphiql:tabState'));
    return tabs[activeTabIndex].operationName === 'ArticleChanged';
  });
  await page.getByRole('button', { name: /execute query/i }).click();
  await createUntil(server, 'Heard below a path', page.locator('.result-window .view-lines', { hasText: 'Heard below a path' }));
});

test('the reader loads without its last slash, at a deep link too, searches, writes and is live', async () => {
  const response = await page.goto(`${proxy.url}/reader`);
  assert.equal(response.status(), 200);
  assert.equal(page.url(), `${proxy.url}/reader/`);
  await page.locator('.card').first().waitFor();
  await page.locator('.live', { hasText: /^Live/ }).waitFor();
  await page.getByLabel('Search by meaning').fill('pasta');
  await page.getByRole('link', { name: /carbonara/i }).click();
  await page.getByRole('heading', { level: 1, name: /carbonara/i }).waitFor();

  const deep = page.url();
  assert.match(deep, /\/sentio\/reader\/#\/article\/\d+$/);
  await page.goto('about:blank');
  await page.goto(deep);
  await page.getByRole('heading', { level: 1, name: /carbonara/i }).waitFor();

  await page.getByRole('link', { name: 'Write' }).click();
  await page.getByLabel('Title').fill('Written below a path');
  await page.getByLabel('Text').fill('Something to read.');
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByRole('heading', { level: 1, name: 'Written below a path' }).waitFor();
  await createUntil(server, 'Heard in the reader', page.locator('.live', { hasText: 'Heard in the reader' }));
});
