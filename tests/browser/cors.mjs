// Reads customers from pages of two origins: one that the gateway allows, and one
// that it does not.
//
//     node cors.mjs <gateway> <port of the pages> <key>
//
// The gateway allows http://localhost:<port>. The same pages have another origin at
// 127.0.0.1.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { launch } from './browser.mjs'

const [gateway, port, key] = process.argv.slice(2)
const allowed = `http://localhost:${port}`
const pages = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<!doctype html>'))
await new Promise((listening) => pages.listen(Number(port), listening))
const browser = await launch()
try {
  const rows = await read(allowed)
  assert.equal(rows.status, 200)
  assert.equal(rows.ids.length, 5)
  assert.match(rows.tag, /^"/)
  assert.match(rows.next, /rel="next"/)
  // The problem is readable too.
  assert.deepEqual(await read(allowed, 'limit=many'), { status: 400, code: 'invalid_parameter' })
  await assert.rejects(read(`http://127.0.0.1:${port}`), /Failed to fetch/)
} finally {
  await browser.close()
  pages.close()
}

/** Requests customers from an empty page of an origin. */
async function read(origin, query = 'limit=5') {
  const page = await browser.newPage()
  await page.goto(`${origin}/`)
  const result = page.evaluate(
    async ([target, key]) => {
      const headers = { Authorization: `Bearer ${key}`, Prefer: 'handling=lenient' }
      const response = await fetch(target, { headers })
      const body = await response.json()
      if (!response.ok) return { status: response.status, code: body.code }
      const [tag, next] = ['etag', 'link'].map((name) => response.headers.get(name))
      return { status: response.status, ids: body.data.map((row) => row.id), tag, next }
    },
    [`${gateway}/customers?connection=affiliates&${query}`, key],
  )
  return result.finally(() => page.close())
}
