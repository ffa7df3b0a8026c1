/** A real Chromium without a window, driven by playwright-core. Needs the Debian package `chromium`. */

import { type Browser as Chromium, chromium, type Page } from 'playwright-core';
import { missingProgram } from './program.ts';

/** How a reader sees a page. */
export interface Viewer {
  readonly width: number;
  readonly height: number;
  readonly isPhone: boolean;
  readonly scheme: 'light' | 'dark';
}

export const DESKTOP: Viewer = { width: 1280, height: 900, isPhone: false, scheme: 'light' };
export const PHONE: Viewer = { width: 360, height: 740, isPhone: true, scheme: 'light' };

/** Where Debian puts it. */
const EXECUTABLE = '/usr/bin/chromium';

/** A page, and what the browser had to say about it. */
export interface OpenPage {
  readonly page: Page;
  /** Messages on the console and exceptions: refused resources are among them. */
  readonly complaints: readonly string[];
  /** URLs of everything that was loaded. */
  readonly requests: readonly string[];
}

export class Browser {
  private readonly chromium: Chromium;

  private constructor(instance: Chromium) {
    this.chromium = instance;
  }

  /** Starts Chromium. Throws, with what to install, when there is none. */
  static async start(): Promise<Browser> {
    try {
      return new Browser(
        await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-gpu'] }),
      );
    } catch (error) {
      throw missingProgram('chromium', 'chromium', error);
    }
  }

  /** Opens a page as this viewer sees it, in a profile of its own. */
  async open(url: string, { width, height, isPhone, scheme }: Viewer): Promise<OpenPage> {
    const viewport = { width, height };
    const context = await this.chromium.newContext({ viewport, isMobile: isPhone, colorScheme: scheme });
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(url);
    return { page, complaints, requests };
  }

  async stop(): Promise<void> {
    await this.chromium.close();
  }
}
