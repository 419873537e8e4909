'use strict';

// The plot of tail-latency.js: a panel for each phase, latency over time on a logarithmic
// scale, as one SVG.  Scales, ticks and lines are d3's.

const { scaleLinear, scaleLog } = require('d3-scale');
const { line } = require('d3-shape');

const PANEL = { width: 300, height: 190, left: 52, right: 12, top: 28, bottom: 30 };
const COLUMNS = 3;
const LOWEST_US = 10;
const COLOURS = ['#2a78d6', '#e0662a', '#2c9a5b', '#a046c8'];

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const text = (x, y, content, more = '') => `<text x="${x}" y="${y}" ${more}>${escaped(content)}</text>`;
const rule = (x1, y1, x2, y2, kind) => `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" class="${kind}"/>`;
const time = (us) => (us >= 1000 ? `${us / 1000} ms` : `${us} µs`);
const nameOf = ({ workers }) => (workers === 0 ? 'default workers' : `${workers} worker${workers === 1 ? '' : 's'}`);

/** Every panel has the same scale of latency, so that they can be compared. */
function latencyScale(report) {
  const all = report.servers.flatMap(({ phases }) => phases.flatMap(({ series }) => series.map(({ max }) => max)));
  const highest = Math.max(report.limitUs * 2, ...all);
  return scaleLog([LOWEST_US, highest], [PANEL.height - PANEL.bottom, PANEL.top]).clamp(true);
}

function panel(report, name, y) {
  const phases = report.servers.map(({ phases }) => phases.find(({ phase }) => phase === name));
  const longest = Math.max(...phases.map((phase) => phase?.series.at(-1)?.ms ?? 0), 1);
  const right = PANEL.width - PANEL.right;
  const bottom = PANEL.height - PANEL.bottom;
  const x = scaleLinear([0, longest / 1000], [PANEL.left, right]);
  const rows = y.ticks(1).filter((us) => Number.isInteger(Math.log10(us)));
  const path = (field) =>
    line()
      .x(({ ms }) => x(ms / 1000).toFixed(1))
      .y((point) => y(Math.max(point[field], LOWEST_US)).toFixed(1));
  const curves = phases.flatMap((phase, index) =>
    phase === undefined
      ? []
      : ['max', 'p50'].map(
          (field) => `<path class="${field}" stroke="${COLOURS[index]}" d="${path(field)(phase.series)}"/>`,
        ),
  );
  return [
    text(PANEL.left, 16, name, 'class="title"'),
    ...rows.flatMap((us) => [
      rule(PANEL.left, y(us), right, y(us), 'grid'),
      text(PANEL.left - 5, y(us) + 4, time(us), 'text-anchor="end"'),
    ]),
    rule(PANEL.left, y(report.limitUs), right, y(report.limitUs), 'limit'),
    ...x.ticks(5).map((s) => text(x(s), bottom + 16, `${s} s`, 'text-anchor="middle"')),
    ...curves,
  ].join('\n');
}

/** The SVG of a report. */
function plot(report) {
  const names = [...new Set(report.servers.flatMap(({ phases }) => phases.map(({ phase }) => phase)))];
  const y = latencyScale(report);
  const width = COLUMNS * PANEL.width;
  const height = Math.ceil(names.length / COLUMNS) * PANEL.height + 44;
  const panels = names.map((name, index) => {
    const left = (index % COLUMNS) * PANEL.width;
    const top = 44 + Math.floor(index / COLUMNS) * PANEL.height;
    return `<g transform="translate(${left},${top})">${panel(report, name, y)}</g>`;
  });
  const legend = report.servers.map(
    (server, index) =>
      `<g fill="${COLOURS[index]}">${text(PANEL.left + index * 130, 36, `— ${nameOf(server)}`, 'class="key"')}</g>`,
  );
  const about = `Latency of ${report.rate} GETs a second, each from the time it was due: slowest (full) and median (faint) of each quarter of a second; dashed: ${time(report.limitUs)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="11">
<style>
  rect { fill: #fff; } text { fill: #444; } .title { font-weight: bold; } .key { fill: inherit; font-weight: bold; }
  .grid { stroke: #ddd; } .limit { stroke: #c33; stroke-dasharray: 5 3; }
  path { fill: none; stroke-width: 1.6; } .p50 { opacity: 0.4; }
</style>
<rect width="${width}" height="${height}"/>
${text(PANEL.left, 18, about)}
${legend.join('\n')}
${panels.join('\n')}
</svg>
`;
}

module.exports = { plot };
