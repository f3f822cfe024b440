// Opens and uses the documentation page at desktop and phone width. Fails on
// requests to other origins, console errors and warnings, and missing content.
//
//     node docs.mjs <origin> <key> [<directory for screenshots>]
import assert from 'node:assert/strict'
import { launch } from './browser.mjs'

const [origin, key, screenshots] = process.argv.slice(2)
const document = await (await fetch(`${origin}/openapi.json`)).json()
const headings = [...document.info.description.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading)
const operations = Object.values(document.paths).flatMap((path) => Object.values(path))
const summaries = operations.map((operation) => operation.summary)
assert.ok(headings.length >= 4 && summaries.length >= 10)

const browser = await launch()
try {
  await read('desktop', { width: 1440, height: 900 })
  await read('phone', { width: 390, height: 844 })
} finally {
  await browser.close()
}

async function read(name, viewport) {
  const page = await browser.newPage({ viewport })
  page.setDefaultTimeout(15_000)
  const faults = watch(page)

  await page.goto(`${origin}/docs`)
  const main = page.getByRole('main')
  await visible(main.getByRole('heading', { level: 1, name: 'Customer gateway' }))
  for (const heading of headings) await visible(main.getByRole('heading', { name: heading, exact: true }))
  await look(page, name, 'introduction')

  const sidebar = page.getByLabel('Sidebar for Customer gateway').filter({ visible: true })
  if (name === 'phone') await page.getByRole('button', { name: 'Open Menu' }).click()
  for (const summary of summaries) await visible(sidebar.getByText(summary, { exact: true }))
  await sidebar.getByText('List customers', { exact: true }).click()

  const section = main.getByRole('region', { name: 'List customers' })
  await visible(section.getByText(`'${origin}/customers?connection=affiliates&limit=20'`))
  await look(page, name, 'operation')

  await section.getByRole('button', { name: 'Test Request' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByPlaceholder('Token').fill(key)
  const answered = page.waitForResponse((response) => response.url().startsWith(`${origin}/customers?`))
  await dialog.getByRole('button', { name: /^Send get request/ }).filter({ visible: true }).click()
  const answer = await answered
  assert.equal(answer.request().headers().authorization, `Bearer ${key}`)
  assert.equal(answer.status(), 200, await answer.text())
  await visible(dialog.getByText('200 OK'))
  await visible(dialog.getByText((await answer.json()).data[0].id))
  await look(page, name, 'answer')

  assert.deepEqual(faults, [], `${name}: the page has faults`)
  await page.close()
}

/** Records the faults of a page: foreign requests, failures, console messages and exceptions. */
function watch(page) {
  const faults = []
  page.on('request', (request) => {
    const url = new URL(request.url())
    if (url.protocol !== 'data:' && url.origin !== origin) faults.push(`outside request: ${url}`)
  })
  page.on('websocket', (socket) => faults.push(`outside request: ${socket.url()}`))
  page.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`))
  page.on('response', (response) => {
    if (response.status() >= 400) faults.push(`${response.status()}: ${response.url()}`)
  })
  // Includes violations of the Content-Security-Policy.
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`))
  return faults
}

async function visible(locator) {
  await locator.first().scrollIntoViewIfNeeded()
  await locator.first().waitFor({ state: 'visible' })
}

/** Checks that nothing overflows horizontally, and takes a screenshot if requested. */
async function look(page, name, part) {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth])
  assert.ok(wide <= room, `${name}, ${part}: ${wide} pixels in a window of ${room}`)
  if (screenshots) await page.screenshot({ path: `${screenshots}/${name}-${part}.png` })
}
