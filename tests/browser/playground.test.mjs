// The playground in a real browser: it works, looks right, and needs nothing but this server.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, server } from './browser.mjs';

let browser, page, problems;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

beforeEach(async () => {
  problems = [];
  page = await browser.newPage({ colorScheme: 'light', viewport: { width: 1280, height: 800 } });
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', error => problems.push(`page error: ${error}`));
  page.on('requestfailed', request => {
    const { errorText } = request.failure();
    // What was under way when the page was left.
    if (errorText !== 'net::ERR_ABORTED') problems.push(`failed: ${request.url()}: ${errorText}`);
  });
  page.on('request', request => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== server && protocol !== 'data:') problems.push(`request to another origin: ${request.url()}`);
  });
  await page.goto(server);
  await page.locator('.graphiql-query-editor .view-lines').waitFor();
});

afterEach(async () => {
  await page.close();
  assert.deepEqual(problems, []);
});

/** Opens the tab with this operation, runs it and returns the server's answer once the page shows it. */
async function run(operation, shown) {
  await page.getByRole('tab', { name: operation }).click();
  // Just after a change of tabs GraphiQL still runs the previous tab's operation; it stores the tab when it is ready.
  await page.waitForFunction(name => {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem('graphiql:tabState'));
    return tabs[activeTabIndex].operationName === name;
  }, operation);
  const answer = page.waitForResponse(
    response => new URL(response.url()).pathname === '/graphql' && response.request().postData()?.includes(operation),
  );
  await page.getByRole('button', { name: /execute query/i }).click();
  const body = await (await answer).json();
  await page.locator('.result-window .view-lines', { hasText: shown }).waitFor();
  return body;
}

test('the first example finds pasta by meaning', async () => {
  assert.equal(await page.title(), 'Sentio playground');

  const { data, errors } = await run('SearchByMeaning', 'recommend');

  assert.equal(errors, undefined);
  assert.equal(data.recommend.length, 3);
  assert.ok(data.recommend.some(({ article }) => /carbonara/i.test(article.title)), JSON.stringify(data));
});

test('an article is created and searchable', async () => {
  const { data, errors } = await run('CreateArticle', 'createArticle');

  assert.equal(errors, undefined);
  assert.deepEqual(data.createArticle.userErrors, []);
  assert.equal(data.createArticle.article.indexState, 'INDEXED');
});

test('the other examples run', async () => {
  for (const [operation, field] of [
    ['SimilarArticles', 'articleByExternalId'],
    ['FilteredAndDiverse', 'recommend'],
  ]) {
    const { data, errors } = await run(operation, field);
    assert.equal(errors, undefined, operation);
    assert.ok(data[field], operation);
  }
});

test('a subscription tells what another client does, with the headers as parameters of its connection', async () => {
  await page.getByRole('button', { name: 'Headers' }).click();
  await page.locator('.graphiql-editor-tool .view-lines').last().click();
  await page.keyboard.insertText('{"authorization": "Bearer secret"}');
  const sent = [];
  page.on('websocket', socket => socket.on('framesent', ({ payload }) => sent.push(JSON.parse(payload))));
  await page.getByRole('tab', { name: 'ArticleChanged' }).click();
  await page.waitForFunction(() => {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem('graphiql:tabState'));
    return tabs[activeTabIndex].operationName === 'ArticleChanged';
  });
  await page.locator('.graphiql-editor-tool .view-lines').last().click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText('{"authorization": "Bearer secret"}');
  await page.getByRole('button', { name: /execute query/i }).click();
  while (sent.length < 2) await page.waitForTimeout(50);
  assert.deepEqual(sent[0], { type: 'connection_init', payload: { authorization: 'Bearer secret' } });
  await page.waitForTimeout(500);
  await fetch(`${server}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'mutation { createArticle(input: { title: "Told", content: "c" }) { article { id } } }' }),
  });
  await page.locator('.result-window .view-lines', { hasText: 'INDEXED' }).waitFor();
  await page.getByRole('button', { name: /stop/i }).click();
});

test('a link brings its query and its variables', async () => {
  const query = 'query Linked($k: Int!) { recommend(query: "pasta", k: $k) { score } }';
  await page.goto('about:blank');
  await page.goto(`${server}/#${new URLSearchParams({ query, variables: '{ "k": 2 }' })}`);
  await page.locator('.graphiql-query-editor .view-lines', { hasText: 'Linked' }).waitFor();
  const answer = page.waitForResponse(response => response.request().postData()?.includes('Linked'));
  await page.getByRole('button', { name: /execute query/i }).click();
  const { data } = await (await answer).json();
  assert.equal(data.recommend.length, 2);

  await page.getByRole('button', { name: /copy a link/i }).click();
  const shared = new URLSearchParams(new URL(page.url()).hash.slice(1));
  assert.equal(shared.get('query'), query);
  assert.equal(shared.get('variables'), '{ "k": 2 }');
});

test('the editor checks queries against the schema', async () => {
  const editor = page.locator('.graphiql-query-editor');
  await editor.locator('.view-lines').click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText('query Status { indexStatus { nonsense } }');

  await editor.locator('.squiggly-error').first().waitFor();
});

test('a request header can be given', async () => {
  await page.getByRole('button', { name: 'Headers' }).click();
  await page.locator('.graphiql-editor-tool .view-lines').last().click();
  await page.keyboard.insertText('{"authorization": "Bearer secret"}');
  const request = page.waitForRequest(request => request.postData()?.includes('SearchByMeaning'));
  await page.getByRole('button', { name: /execute query/i }).click();

  assert.equal((await request).headers().authorization, 'Bearer secret');
  await page.locator('.result-window .view-lines', { hasText: '{' }).waitFor();
});

test('prettify loads its formatter from this server', async () => {
  const editor = page.locator('.graphiql-query-editor');
  await editor.locator('.view-lines').click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText('query Status {indexStatus{state}}');
  await page.getByRole('button', { name: /prettify/i }).click();

  await editor.locator('.view-line', { hasText: /^\s+state$/ }).waitFor();
});

test('colours follow the system', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'sentio-playground-'));
  t.diagnostic(`screenshots are in ${folder}`);
  await run('SearchByMeaning', 'recommend');
  const brightness = {};
  for (const [colorScheme, editorTheme] of [['light', 'vs'], ['dark', 'vs-dark'], ['light', 'vs']]) {
    await page.emulateMedia({ colorScheme });
    await page.locator(`.graphiql-query-editor .monaco-editor.${editorTheme}`).waitFor();
    const path = join(folder, `${colorScheme}.png`);
    await page.screenshot({ path, animations: 'disabled' });
    brightness[colorScheme] = await meanBrightness(readFileSync(path));
  }
  assert.ok(brightness.light > 200, `light: mean brightness ${brightness.light} of 255`);
  assert.ok(brightness.dark < 80, `dark: mean brightness ${brightness.dark} of 255`);
});

/** Mean of the red, green and blue of a picture's pixels, 0 to 255, computed by the browser. */
async function meanBrightness(png) {
  const blank = await browser.newPage();
  const mean = await blank.evaluate(async source => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
    canvas.drawImage(image, 0, 0);
    const { data } = canvas.getImageData(0, 0, image.width, image.height);
    return data.reduce((sum, value, index) => (index % 4 === 3 ? sum : sum + value), 0) / ((data.length * 3) / 4);
  }, `data:image/png;base64,${png.toString('base64')}`);
  await blank.close();
  return mean;
}
