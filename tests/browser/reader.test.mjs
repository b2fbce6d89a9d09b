// The example front end in a real browser: read, search, write, and see what others write.

import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, server, violations } from './browser.mjs';
import { create, send } from './sentio.mjs';

const screenshots = mkdtempSync(join(tmpdir(), 'sentio-reader-'));

let browser, page, problems;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

beforeEach(async () => {
  problems = [];
  page = await browser.newPage({ colorScheme: 'light', viewport: { width: 900, height: 800 } });
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', error => problems.push(`page error: ${error}`));
  page.on('request', request => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== server && protocol !== 'data:') problems.push(`request to another origin: ${request.url()}`);
  });
  await page.goto(`${server}/reader`);
  await page.getByRole('heading', { name: 'Articles' }).waitFor();
});

afterEach(async () => {
  await page.close();
  assert.deepEqual(problems, []);
});

/** Fails on what assistive technology could not use; leaves a screenshot. */
async function accessible(name, t) {
  await page.screenshot({ path: join(screenshots, `${name}.png`), animations: 'disabled' });
  t.diagnostic(`screenshots are in ${screenshots}`);
  assert.deepEqual(await violations(page), []);
}

test('the list grows while one scrolls', async t => {
  const cards = page.locator('.card');
  await cards.nth(9).waitFor();
  await accessible('list', t);
  for (let number = 0; number < 30; number += 1) await create(server, `Filler ${number}`);
  await page.reload();
  await cards.nth(19).waitFor();
  await cards.last().scrollIntoViewIfNeeded();
  await cards.nth(39).waitFor();
  const links = await cards.locator('h2 a').evaluateAll(all => all.map(link => link.href));
  assert.equal(new Set(links).size, links.length);
});

test('typing finds by meaning, and words of the query are marked', async t => {
  await page.getByLabel('Search by meaning').pressSequentially('pasta with eggs');
  const first = page.locator('section[aria-label="Found"] .card').first();
  await first.getByRole('link', { name: /carbonara/i }).waitFor();
  await page.locator('mark').first().waitFor();
  await accessible('search', t);
  await page.getByLabel('Search by meaning').fill('');
  await page.locator('section[aria-label="All articles"]').waitFor();
});

test('an article has similar ones, and the keyboard goes there and back', async t => {
  await page.getByLabel('Search by meaning').fill('pasta');
  await page.getByRole('link', { name: /carbonara/i }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: /carbonara/i }).waitFor();
  const similar = page.locator('section[aria-labelledby="similar"] .card');
  assert.equal(await similar.count(), 5);
  await accessible('article', t);
  await similar.first().getByRole('link').click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.goBack();
  await page.getByRole('heading', { level: 1, name: /carbonara/i }).waitFor();
  await page.goto(`${server}/reader/#/article/999999`);
  await page.getByRole('alert').waitFor();
});

test('what others change is told and shown', async () => {
  await page.locator('.live', { hasText: /^Live/ }).waitFor();
  const article = await create(server, 'Before');
  await page.getByRole('status').getByRole('link', { name: `article ${article.id}` }).click();
  await page.getByRole('heading', { level: 1, name: 'Before' }).waitFor();
  await send(server, `mutation { updateArticle(input: { id: "${article.id}", title: "After" }) { article { id } } }`);
  await page.getByRole('heading', { level: 1, name: 'After' }).waitFor();
});

test('the form shows what the server objects to, and then publishes', async t => {
  await page.getByRole('link', { name: 'Write' }).click();
  await page.getByLabel('Title').fill('');
  await page.getByLabel('Text').fill('Something to read.');
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.locator('#title-said').waitFor();
  assert.equal(await page.getByLabel('Title').getAttribute('aria-invalid'), 'true');
  await accessible('form', t);
  await page.getByLabel('Title').fill('Written in the reader');
  await page.getByLabel('Tags').fill('one, two');
  await page.getByRole('button', { name: 'Publish' }).click();
  await page.getByRole('heading', { level: 1, name: 'Written in the reader' }).waitFor();
});
