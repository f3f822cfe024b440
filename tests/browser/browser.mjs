// Starts a headless Chromium without requests of its own.
import { chromium } from 'playwright-core'

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', // CI runs as root, where Chromium's sandbox is unavailable.
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      // Suppresses Chromium's own requests.
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
