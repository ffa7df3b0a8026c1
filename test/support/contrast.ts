/** Contrast of texts in a page as it is rendered (WCAG 2.2, 1.4.3). */

import type { Page } from 'playwright-core';

/** Beginnings of the elements among `selector` whose text has less contrast than 4.5 to 1. */
export async function poorContrasts(page: Page, selector: string): Promise<readonly string[]> {
  return (await page.evaluate(`(() => {
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const luminance = (colour) => {
      const [r, g, b] = parts(colour).slice(0, 3).map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const backOf = (element) => {
      for (let each = element; each !== null; each = each.parentElement) {
        const colour = getComputedStyle(each).backgroundColor;
        if ((parts(colour)[3] ?? 1) > 0) return colour;
      }
      return 'rgb(255, 255, 255)';
    };
    return [...document.querySelectorAll(${JSON.stringify(selector)})]
      .filter((element) => {
        const style = getComputedStyle(element);
        const [a, b] = [luminance(element.closest('svg') ? style.fill : style.color), luminance(backOf(element))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
      })
      .map((element) => element.outerHTML.slice(0, 80));
  })()`)) as readonly string[];
}
