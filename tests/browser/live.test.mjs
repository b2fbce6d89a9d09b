// "Live" tells the truth: the reader says when it hears no changes, comes back by itself, and shows what it has missed.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, server } from './browser.mjs';
import { create, send, Sentio } from './sentio.mjs';

let browser, context, page;

before(async () => {
  browser = await launch();
});

after(() => browser.close());

beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
});

afterEach(() => context.close());

const live = () => page.locator('.live', { hasText: /^Live/ });
const notLive = () => page.locator('.live', { hasText: /^Not live/ });
const inList = title => page.locator('section[aria-label="All articles"] .card', { hasText: title });

test('eight tabs show articles and are live', async () => {
  const titles = [];
  for (let tab = 1; tab <= 8; tab += 1) {
    const page = await context.newPage();
    await page.goto(`${server}/reader/`);
    await page.locator('.card').first().waitFor();
    await page.locator('.live', { hasText: /^Live/ }).waitFor();
    titles.push(await page.title());
  }
  assert.equal(titles.length, 8);
});

test('when the server stops the page says so; when it is back the page is live and shows what was written meanwhile', async () => {
  const sentio = new Sentio();
  try {
    await sentio.start();
    const { port, url } = sentio;
    const fillers = Array.from({ length: 30 }, (_, number) => ({ title: `Filler ${number}`, content: 'c' }));
    await send(url, 'mutation($input: CreateArticlesInput!) { createArticles(input: $input) { articles { id } } }', {
      input: { articles: fillers },
    });
    await page.goto(`${url}/reader/`);
    await live().waitFor();
    await page.locator('.card').last().scrollIntoViewIfNeeded();
    await page.locator('.card').nth(39).waitFor();

    await sentio.stop();
    await notLive().waitFor();
    assert.equal(await page.locator('.card').count() >= 40, true, 'what was read stays to be read');

    // Under another address, where the page does not find it: the page must miss this.
    await sentio.start();
    await create(sentio.url, 'Written meanwhile');
    const { data } = await send(sentio.url, '{ articles(first: 1, filter: { categoryIn: ["Food"] }) { nodes { id title } } }');
    const [gone] = data.articles.nodes;
    await send(sentio.url, `mutation { deleteArticle(input: { id: "${gone.id}" }) { deletedArticleId } }`);
    await sentio.stop();
    assert.equal(await notLive().count(), 1);

    await sentio.start(port);
    await live().waitFor({ timeout: 60_000 });
    await inList('Written meanwhile').waitFor();
    await inList(gone.title).waitFor({ state: 'detached' });
    const links = await page.locator('.card h2 a').evaluateAll(all => all.map(link => link.href));
    assert.ok(links.length >= 40, `the pages that were loaded are still there: ${links.length} articles`);
    assert.equal(new Set(links).size, links.length);

    // It hears again.
    await create(url, 'Written afterwards');
    await page.locator('.live', { hasText: 'Written afterwards' }).waitFor();
  } finally {
    await sentio.remove();
  }
});

test('an article that is open is read again after a gap', async () => {
  const article = await create(server, 'Before the gap');
  await page.goto(`${server}/reader/#/article/${article.id}`);
  await page.getByRole('heading', { level: 1, name: 'Before the gap' }).waitFor();
  await live().waitFor();
  await context.setOffline(true);
  await notLive().waitFor();
  await send(server, `mutation { updateArticle(input: { id: "${article.id}", title: "After the gap" }) { article { id } } }`);
  await context.setOffline(false);
  await live().waitFor();
  await page.getByRole('heading', { level: 1, name: 'After the gap' }).waitFor();
});

test('a server that says nothing any more is noticed', async () => {
  let silent = false;
  await page.routeWebSocket(/\/graphql$/, socket => {
    const onward = socket.connectToServer();
    socket.onMessage(text => {
      if (!silent) onward.send(text);
    });
  });
  await page.goto(`${server}/reader/`);
  await live().waitFor();
  silent = true;
  await notLive().waitFor({ timeout: 20_000 });
  await create(server, 'Written in the silence');
  silent = false;
  await live().waitFor();
  await inList('Written in the silence').waitFor();
});

test('changes that came too fast are read again', async () => {
  let left;
  await page.routeWebSocket(/\/graphql$/, socket => {
    const onward = socket.connectToServer();
    socket.onMessage(text => {
      onward.send(text);
      const { type, id } = JSON.parse(text);
      if (type === 'subscribe') left = id;
      // From here on the page hears nothing of the server but what this test says.
      if (type === 'ping') onward.onMessage(text => text.includes('pong') && socket.send(text));
    });
    page.leaveOut = () =>
      socket.send(
        JSON.stringify({
          type: 'next',
          id: left,
          payload: { data: null, errors: [{ message: '7 changes were left out', extensions: { code: 'OVERLOADED' } }] },
        }),
      );
  });
  await page.goto(`${server}/reader/`);
  await live().waitFor();
  await create(server, 'Left out of the stream');
  assert.equal(await inList('Left out of the stream').count(), 0);
  page.leaveOut();
  await inList('Left out of the stream').waitFor();
  await live().waitFor();
});
