/** One plot of the last minutes: lines in the colours of the style sheet, and a legend that shows their figures. */

import UPlot from '/status/uplot.js';

const HEIGHT = 176;
/** A server that has just started is not shown as a line across everything. */
const SHORTEST_SECONDS = 60;
const dark = matchMedia('(prefers-color-scheme: dark)');

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function legendItem({ label, colour: name }) {
  const item = document.createElement('li');
  const swatch = document.createElement('i');
  swatch.style.background = `var(${name})`;
  item.append(swatch, `${label} `, document.createElement('b'));
  return item;
}

/** The scale of the figures: from 0, or powers of ten. */
const linear = { range: (_plot, _min, max) => [0, Math.max(max, 1e-9) * 1.1] };
const logarithmic = {
  distr: 3,
  range: (_plot, min, max) => [
    10 ** Math.floor(Math.log10(min ?? 1)),
    10 ** Math.ceil(Math.log10((max ?? 100) * 1.01)),
  ],
};

function powersOfTen(_plot, _axis, min, max) {
  const first = Math.round(Math.log10(min));
  return Array.from({ length: Math.round(Math.log10(max)) - first + 1 }, (_, index) => 10 ** (first + index));
}

function axes(format, isLogarithmic) {
  const look = {
    stroke: () => colour('--muted'),
    grid: { stroke: () => colour('--grid'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return [
    { ...look, size: 24, space: 75, values: '{HH}:{mm}:{ss}' },
    {
      ...look,
      size: 66,
      space: 34,
      values: (_plot, values) => values.map(format),
      // Without a filter of ours every other power would lose its label.
      ...(isLogarithmic ? { splits: powersOfTen, filter: (_plot, splits) => splits } : {}),
    },
  ];
}

/** `lines`: label, colour (a variable of the style sheet), `of(sample)`. Returns what shows a list of samples. */
export function createPlot(figure, { lines, format, isLogarithmic = false }) {
  const legend = document.createElement('ul');
  legend.className = 'legend';
  legend.append(...lines.map(legendItem));
  figure.querySelector('figcaption').append(legend);
  const place = document.createElement('div');
  place.className = 'plot';
  figure.append(place);

  const showFigures = ({ cursor, data }) => {
    const at = cursor.idx ?? data[0].length - 1;
    for (const [index, item] of [...legend.children].entries()) {
      const value = data[index + 1][at] ?? null;
      item.querySelector('b').textContent = value === null ? '–' : format(value);
    }
  };
  const plot = new UPlot(
    {
      width: place.clientWidth,
      height: HEIGHT,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      cursor: { y: false, sync: { key: 'status' }, drag: { x: false, y: false } },
      scales: {
        x: { range: (_plot, min, max) => [Math.min(min ?? 0, (max ?? 0) - SHORTEST_SECONDS), max ?? 0] },
        y: isLogarithmic ? logarithmic : linear,
      },
      axes: axes(format, isLogarithmic),
      series: [
        {},
        ...lines.map(({ label, colour: name, isFilled = false }) => ({
          label,
          width: 1.5,
          points: { show: false },
          stroke: () => colour(name),
          fill: isFilled ? () => `${colour(name)}26` : undefined,
        })),
      ],
      hooks: { setCursor: [showFigures], setData: [showFigures] },
    },
    [[], ...lines.map(() => [])],
    place,
  );
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT })).observe(place);
  dark.addEventListener('change', () => plot.redraw());

  return (samples) => {
    plot.setData([samples.map(({ timeMs }) => timeMs / 1_000), ...lines.map(({ of }) => samples.map(of))]);
  };
}
