/** The report as one HTML file that needs nothing else: charts by uPlot, which is put into it. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type BenchReport, caseRows, memoryRows } from './report';
import { legend } from './report-table';

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[], tag: string): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${line(head, 'th')}${rows.map((cells) => line(cells, 'td')).join('\n')}</table>`;
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 0.5rem 0; }
th, td { padding: 0.2rem 0.8rem; text-align: left; border-bottom: 1px solid #8884; white-space: nowrap; }
.charts { display: flex; flex-wrap: wrap; gap: 1.5rem; margin: 1rem 0; overflow-x: auto; }
.u-legend, .u-title { color: inherit; }
.fails { color: #c33; font-weight: bold; }
`;

/** Runs in the browser; `report` and `uPlot` are there before it. */
const DRAW = `
const colours = ['#2a78d6', '#e0662a', '#2c9a5b', '#a046c8', '#b59a12', '#d13b73', '#1aa3a3', '#777'];
const muted = matchMedia('(prefers-color-scheme: dark)').matches ? '#aaa' : '#555';
const grid = { stroke: '#8883', width: 1 };
const axis = (label, values, size) => ({ label, stroke: muted, grid, ticks: grid, size: size ?? 70, ...(values ? { values } : {}) });
const short = (v) => v >= 1e6 ? +(v / 1e6).toFixed(2) + ' M' : v >= 1e3 ? +(v / 1e3).toFixed(1) + ' k' : String(+v.toFixed(2));
const shorts = (u, vs) => vs.map((v) => v == null ? '' : short(v));
const size = { width: 520, height: 300 };
const seriesOf = (cells, more) => cells.map((cell) => {
  const colour = colours[report.targets.findIndex((t) => t.name === cell.target) % colours.length];
  return { label: cell.target, stroke: colour, fill: more?.filled ? colour + '99' : undefined, width: 2, value: (u, v) => v == null ? '–' : short(v), ...more };
});
const chart = (box, options, data) => new uPlot({ ...size, ...options }, data, box);
report.cases.forEach((each, index) => {
  const box = document.getElementById('case-' + index);
  const cells = each.cells.filter((cell) => cell.skipped === null);
  const bars = uPlot.paths.bars({ size: [0.7, 80] });
  const place = cells.map((_, i) => i);
  for (const [title, field] of [['commands a second', 'opsPerSecond'], ['server CPU, ns a command', 'cpuNs']]) {
    const shown = cells.filter((cell) => cell[field] !== null);
    if (shown.length === 0) continue;
    chart(box, {
      title, legend: { show: true },
      scales: { x: { time: false, range: [-0.6, cells.length - 0.4] }, y: { range: (u, low, high) => [0, high * 1.1] } },
      axes: [{ ...axis('', (u, vs) => vs.map((v) => cells[v]?.target ?? ''), 40), splits: () => place }, axis('', shorts)],
      series: [{ label: 'target', value: (u, v) => cells[v]?.target ?? '' }, ...seriesOf(shown, { paths: bars, points: { show: false }, filled: true })],
    }, [place, ...shown.map((cell) => place.map((i) => cells[i] === cell ? cell[field].median : null))]);
  }
  const timed = cells.filter((cell) => cell.latencyCurve.length > 0);
  if (timed.length > 0) {
    const nines = (p) => -Math.log10(1 - Math.min(p, 99.9999) / 100);
    const xs = timed[0].latencyCurve.map(([p]) => nines(p));
    chart(box, {
      title: 'latency by percentile, µs',
      scales: { x: { time: false }, y: { distr: 3 } },
      axes: [{ ...axis('', (u, vs) => vs.map((v) => +(100 * (1 - 10 ** -v)).toFixed(3) + ' %'), 40), splits: () => [0, 1, 2, 3, 4, 5] }, axis('', shorts)],
      series: [{ label: 'percentile', value: (u, v) => v == null ? '' : +(100 * (1 - 10 ** -v)).toFixed(3) + ' %' }, ...seriesOf(timed)],
    }, [xs, ...timed.map((cell) => cell.latencyCurve.map(([, us]) => Math.max(us, 0.001)))]);
  }
  const rounds = Math.max(...cells.map((cell) => cell.rounds.length), 0);
  chart(box, {
    title: 'commands a second, round by round',
    scales: { x: { time: false }, y: { range: (u, low, high) => [0, high * 1.1] } },
    axes: [axis('', null, 40), axis('', shorts)],
    series: [{ label: 'round' }, ...seriesOf(cells)],
  }, [Array.from({ length: rounds }, (_, i) => i + 1), ...cells.map((cell) => cell.rounds.map((r) => r.opsPerSecond))]);
});
`;

/** A script's text that cannot end its element. */
function scriptText(text: string): string {
  return text.replaceAll('</', '<\\/').replaceAll('<!--', '<\\!--');
}

/** The whole report. */
export function htmlReport(report: BenchReport): string {
  const folder = path.dirname(require.resolve('uplot/package.json'));
  const library = readFileSync(path.join(folder, 'dist', 'uPlot.iife.min.js'), 'utf8');
  const style = readFileSync(path.join(folder, 'dist', 'uPlot.min.css'), 'utf8');
  const { machine, settings } = report;
  const cases = report.cases.map((each, index) => {
    const { head, rows } = caseRows(each);
    const title = `<h2>${escaped(each.workload)}, pipeline ${each.pipeline}</h2><p>${escaped(each.summary)}</p>`;
    return `${title}${table(head, rows)}<div class="charts" id="case-${index}"></div>`;
  });
  const memory = memoryRows(report.memory);
  const thresholds = report.thresholds.map(({ text, holds, found }) => [text, holds ? 'holds' : 'failed', found]);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>redis-lite-native ${escaped(report.version)}: benchmark</title>
<style>${style}${STYLE}</style></head><body>
<h1>redis-lite-native ${escaped(report.version)}: benchmark</h1>
<p>${escaped(report.startedAt)}: <code>${escaped(report.command)}</code></p>
<p>${escaped(`${machine.cpu}, ${machine.cpus} processors, ${machine.system}, Node ${machine.node}; ${machine.pinning}. `)}
${settings.connections} connections, ${settings.keys} keys${settings.rate > 0 ? `, ${settings.rate} commands a second, latency from the time each was due` : ''}.</p>
${table(
  ['target', 'what it is'],
  report.targets.map(({ name, description }) => [name, description]),
)}
${cases.join('\n')}
${memory.rows.length === 0 ? '' : `<h2>Memory, bytes</h2>${table(memory.head, memory.rows)}`}
${thresholds.length === 0 ? '' : `<h2>Thresholds</h2>${table(['threshold', '', 'found'], thresholds)}`}
<p>${escaped(legend(report))}</p>
<script>${scriptText(library)}</script>
<script>const report = ${scriptText(JSON.stringify(report))};${scriptText(DRAW)}</script>
</body></html>
`;
}
