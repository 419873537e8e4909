'use strict';

// node scripts/bench-plot.js <report.json> <chart.svg>
//
// The chart of the README: from what "redis-lite-native bench --json" prints, a panel for each
// case and a bar for each target that was started for it: processor time of the server for a
// command.  Scales are d3's.

const fs = require('node:fs');
const { scaleBand, scaleLinear } = require('d3-scale');

const PANEL = { width: 300, left: 104, right: 50, top: 26, bar: 17, bottom: 12 };
const COLUMNS = 3;
const HEAD = 40;
const COLOURS = { ours: '#2a78d6', redis: '#c0392b' };
const OTHER = '#9aa5b1';

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const text = (x, y, content, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(content)}</text>`;
const time = (ns) => (ns >= 10_000 ? `${(ns / 1000).toFixed(0)} µs` : `${(ns / 1000).toPrecision(2)} µs`);

/** Targets of one case with a figure, in the report's order. */
function barsOf({ cells }) {
  return cells.flatMap(({ target, cpuNs }) =>
    cpuNs === null ? [] : [{ target, value: cpuNs.median, low: cpuNs.low, high: cpuNs.high }],
  );
}

const heightOf = (rows) => PANEL.top + rows * PANEL.bar + PANEL.bottom;

function panel(oneCase) {
  const bars = barsOf(oneCase);
  const bottom = PANEL.top + bars.length * PANEL.bar;
  const longest = 1.2 * Math.max(...bars.map(({ value }) => value));
  const x = scaleLinear([0, longest], [PANEL.left, PANEL.width - PANEL.right]).clamp(true);
  const y = scaleBand(
    bars.map(({ target }) => target),
    [PANEL.top, bottom],
  ).padding(0.25);
  const drawn = bars.flatMap(({ target, value, low, high }) => {
    const top = y(target);
    const middle = top + y.bandwidth() / 2;
    return [
      `<rect x="${PANEL.left}" y="${top.toFixed(1)}" width="${(x(value) - PANEL.left).toFixed(1)}" height="${y.bandwidth().toFixed(1)}" fill="${COLOURS[target] ?? OTHER}"/>`,
      `<line x1="${x(low).toFixed(1)}" x2="${x(high).toFixed(1)}" y1="${middle.toFixed(1)}" y2="${middle.toFixed(1)}" stroke="#333"/>`,
      text(PANEL.left - 6, middle + 4, target, 'text-anchor="end"'),
      text(x(high) + 5, middle + 4, time(value)),
    ];
  });
  return [text(PANEL.left, 16, `${oneCase.workload}, pipeline ${oneCase.pipeline}`, 'class="title"'), ...drawn].join(
    '\n',
  );
}

/** The SVG of a report of bench. */
function plot(report) {
  const cases = report.cases.filter((each) => barsOf(each).length > 0);
  const rows = Math.max(...cases.map((each) => barsOf(each).length));
  const width = COLUMNS * PANEL.width;
  const height = HEAD + Math.ceil(cases.length / COLUMNS) * heightOf(rows);
  const panels = cases.map((each, index) => {
    const left = (index % COLUMNS) * PANEL.width;
    const top = HEAD + Math.floor(index / COLUMNS) * heightOf(rows);
    return `<g transform="translate(${left},${top})">${panel(each)}</g>`;
  });
  const about = `CPU time of the server for a command (medians and their intervals, ${report.settings.rounds} rounds): shorter is better`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="11">
<style>text { fill: #444; } .title { font-weight: bold; }</style>
<rect width="${width}" height="${height}" fill="#fff"/>
${text(12, 20, about, 'font-size="13"')}
${panels.join('\n')}
</svg>
`;
}

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  console.error('usage: node scripts/bench-plot.js <report.json> <chart.svg>');
  process.exit(2);
}
fs.writeFileSync(to, plot(JSON.parse(fs.readFileSync(from, 'utf8'))));
