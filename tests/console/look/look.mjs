// Looks at a console that is open, as people do: every screen in both languages and two widths, by keyboard, without a script, on
// paper, and a newcomer's way from the first page to a printed case. Ends with 1 at the first thing that is wrong.
//
// CONSOLE=http://127.0.0.1:PORT SHOTS=folder NAME=… PASSWORD=… ASSET=gateway/asset RECORDS=records.jsonl CATALOGUE=….toml node look.mjs
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const { CONSOLE: base, SHOTS: shots, NAME: name, PASSWORD: password, ASSET: asset, RECORDS: records, CATALOGUE: catalogue } = process.env;
const program = process.env.CHROMIUM ?? '/usr/bin/chromium';
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const screens = ['/', '/fleet', '/fleet?lane=latched', `/asset/${asset}`, `/asset/${asset}?days=31`, '/alarms', '/alarms?part=all', '/alarms?kind=tamper&priority=low', '/?in=130421&industry=Coke', '/inspections', '/audit', '/audit?gateway=' + asset.split('/')[0], '/audit/seen', '/audit/keys', '/no-such-page'];
const widths = [1280, 360, 320];
mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: program,
  args: ['--headless=new', '--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
});

// A person at a browser that tells everything that is wrong: a request elsewhere, something the policy forbids, an error.
async function person(language, more = {}) {
  const context = await browser.newContext({ baseURL: base, locale: language === 'zh' ? 'zh-CN' : 'en-GB', ...more });
  const wrong = [];
  context.on('request', (request) => {
    if (!request.url().startsWith(base)) wrong.push(`asks elsewhere: ${request.url()}`);
  });
  const page = await context.newPage();
  page.on('console', (said) => {
    // A page that is not there is told by its status, and the browser tells that as an error.
    if (said.type() === 'error' && !said.text().includes('404')) wrong.push(`says: ${said.text()}`);
  });
  page.on('pageerror', (error) => wrong.push(`fails: ${error.message}`));
  return { context, page, wrong };
}

async function enter(page) {
  await page.goto('/login');
  await page.fill('#name', name);
  await page.fill('#password', password);
  await Promise.all([page.waitForURL(`${base}/`), page.press('#password', 'Enter')]);
}

async function check(page, what) {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(
    (tags) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags }, resultTypes: ['violations', 'passes'] }),
    rules,
  );
  const told = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`);
  assert.deepEqual(told, [], `${what}: axe finds what keeps people out`);
  assert.ok(passes.length > 5, `${what}: axe has looked`);
  // At 320 pixels a page is read without moving it sideways; tables have frames of their own to be moved in.
  const { wide, seen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, seen: document.documentElement.clientWidth }));
  assert.ok(wide <= seen + 1, `${what}: ${wide} pixels wide where ${seen} are seen`);
}

// A page that stands is checked as it is where scripts run, and its picture kept.
async function looked(page, what) {
  await page.screenshot({ path: join(shots, `${what}.png`), fullPage: true });
  const again = await browser.newContext();
  const copy = await again.newPage();
  const style = await (await page.request.get('/style.css')).text();
  await copy.setContent((await page.content()).replace('</head>', `<style>${style}</style></head>`));
  await check(copy, what);
  await again.close();
}

// An address is checked at both widths by somebody whose browser runs scripts.
async function seen(language, address, what) {
  const { context, page, wrong } = await person(language);
  await enter(page);
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(address);
    await check(page, `${address} (${language}, ${width})`);
    await page.screenshot({ path: join(shots, `${what}-${language}-${width}.png`), fullPage: true });
  }
  assert.deepEqual(wrong, [], `${address} in ${language}`);
  await context.close();
}

for (const language of ['zh', 'en']) {
  const { context, page, wrong } = await person(language);
  await page.goto('/login');
  await check(page, `/login (${language})`);
  await enter(page);
  for (const screen of screens) {
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(screen);
      assert.equal(await page.getAttribute('html', 'lang'), language === 'zh' ? 'zh-CN' : 'en', screen);
      await check(page, `${screen} (${language}, ${width})`);
      const file = `${screen.replace(/[^a-z0-9]+/gi, '_')}-${language}-${width}.png`;
      await page.screenshot({ path: join(shots, file), fullPage: true });
    }
  }
  assert.deepEqual(wrong, [], `in ${language}`);
  await context.close();
}

// Alarms are filtered, and one is looked at, without a script; a file that somebody brings is verified, another version of the
// rules compared.
for (const language of ['zh', 'en']) {
  const { context, page, wrong } = await person(language, { javaScriptEnabled: false });
  await enter(page);
  await page.goto('/alarms');
  await page.selectOption('#f-kind', 'violation');
  await page.selectOption('#f-part', 'all');
  await Promise.all([page.waitForURL(/kind=violation/), page.locator('form.filter button').click()]);
  assert.equal(await page.inputValue('#f-kind'), 'violation', 'what was chosen stays chosen');
  const promised = (await page.locator('#f-kind option:checked').textContent()).match(/\((\d+)\)/)[1];
  assert.equal(await page.locator('main tbody tr').count(), Number(promised), 'as many as the choice promises');
  await Promise.all([page.waitForURL(/\/alarm\/[0-9a-f]{16}$/), page.locator('main tbody a[href^="/alarm/"]').first().click()]);
  assert.ok(await page.locator('main tbody tr').count() > 0, 'its steps are told');
  await seen(language, new URL(page.url()).pathname, 'alarm');
  await page.goto('/audit');
  await page.setInputFiles('#records', records);
  await Promise.all([page.waitForURL(/\/verify$/), page.locator('form[action="/verify"] button').click()]);
  const said = await page.locator('main').textContent();
  assert.ok(said.includes(language === 'zh' ? '真实是' : 'Authenticyes'), `what is brought is verified: ${said}`);
  await looked(page, `upload-${language}`);
  await page.goto('/audit');
  await page.setInputFiles('form[action="/rules"] input[type=file]', catalogue);
  await Promise.all([page.waitForURL(/\/rules$/), page.locator('form[action="/rules"] button').click()]);
  assert.ok((await page.locator('main').textContent()).includes(language === 'zh' ? '差异数' : 'Differences'), 'and the rules are compared');
  await looked(page, `rules-${language}`);
  assert.deepEqual(wrong, [], `without a script, in ${language}`);
  await context.close();
}

// Without a script everything is read all the same.
{
  const { context, page, wrong } = await person('en', { javaScriptEnabled: false });
  await enter(page);
  for (const screen of screens.slice(0, 6)) {
    await page.goto(screen);
    assert.ok((await page.locator('main h1').textContent()).length > 0, screen);
  }
  assert.ok(await page.locator('table').count() > 0);
  assert.deepEqual(wrong, [], 'without a script');
  await context.close();
}

// On paper nothing is cut off: A4 upright, and lying where a table is wide.
for (const language of ['zh', 'en']) {
  const { context, page } = await person(language);
  await enter(page);
  await page.emulateMedia({ media: 'print' });
  for (const [screen, width] of [['/', 680], [`/asset/${asset}`, 680], ['/alarms', 680], ['/audit', 680], ['/audit/seen', 680], ['/fleet', 1030]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(screen);
    const cut = await page.evaluate(() =>
      [...document.querySelectorAll('main, main *')].filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((one) => one.outerHTML.slice(0, 80)));
    assert.deepEqual(cut, [], `${screen} on paper (${language})`);
  }
  await context.close();
}

// By the keyboard alone: to the content, and to a screen.
{
  const { context, page } = await person('en');
  await enter(page);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.locator('nav a', { hasText: 'Fleet' }).focus();
  await Promise.all([page.waitForURL(`${base}/fleet`), page.keyboard.press('Enter')]);
  await context.close();
}

// A newcomer's way: open, find the furnace that drew, see why, acknowledge, print.
{
  const { context, page, wrong } = await person('en');
  await enter(page);
  const [gateway, furnace] = asset.split('/');
  const link = page.locator('main table a', { hasText: furnace });
  assert.ok(await link.count() > 0, 'it stands on the first page');
  await Promise.all([page.waitForURL(new RegExp(`/asset/${gateway}/${furnace}`)), link.first().click()]);
  const said = await page.locator('main').textContent();
  for (const why of ['violation latched', 'draw', 'kWh', 'signature valid']) assert.ok(said.includes(why), why);
  assert.ok(await page.locator('svg.chart rect.bar').count() > 0, 'its power is drawn');
  assert.ok(await page.locator('svg.chart path.gap').count() > 0, 'and what was not seen is hatched');
  await page.locator('summary', { hasText: 'Acknowledge' }).first().click();
  await page.locator('input[name=why]:visible').first().fill('sent an inspection');
  await Promise.all([
    page.waitForURL(new RegExp(`/asset/${gateway}/${furnace}`)),
    page.locator('details[open] button', { hasText: 'Acknowledge' }).first().click(),
  ]);
  assert.ok(await page.locator('button[data-print]').isVisible(), 'a button prints');
  const began = Date.now();
  const paper = await page.pdf({ path: join(shots, 'case.pdf'), format: 'A4', printBackground: true });
  console.log(`the case of seven days: ${paper.length} bytes of PDF in ${Date.now() - began} ms`);
  assert.ok(paper.length < 2_000_000, `${paper.length} bytes of PDF`);
  const sheets = paper.toString('latin1').match(/\/Type\s*\/Page[^s]/g) ?? [];
  assert.ok(sheets.length >= 1 && sheets.length <= 4, `${sheets.length} sheets of A4`);
  assert.deepEqual(wrong, [], 'on a newcomer\'s way');
  await context.close();
}

await browser.close();
console.log(`looked at ${screens.length} screens in two languages and two widths; pictures in ${shots}`);
