/** The report as a table for a terminal. */

import type { Painter } from '../cli/style';
import { type BenchReport, type CaseReport, caseRows, memoryRows } from './report';

type TableConstructor = typeof import('cli-table3');

function caseTable(report: CaseReport, paint: Painter): string {
  const Table = require('cli-table3') as TableConstructor;
  const { head, rows } = caseRows(report);
  const table = new Table({
    head: head.map((text) => paint('bold', text)),
    style: { head: [], border: [], compact: true },
  });
  for (const [index, row] of rows.entries()) {
    const skipped = report.cells[index]?.skipped != null;
    table.push(skipped ? [row[0] ?? '', { content: paint('yellow', row[1] ?? ''), colSpan: 7 }] : [...row]);
  }
  return `${paint('bold', `${report.workload}, pipeline ${report.pipeline}`)}  ${paint('dim', report.summary)}\n${table.toString()}\n`;
}

function memoryTable(report: BenchReport, paint: Painter): string {
  if (report.memory.length === 0) {
    return '';
  }
  const Table = require('cli-table3') as TableConstructor;
  const { head, rows } = memoryRows(report.memory);
  const table = new Table({
    head: head.map((text) => paint('bold', text)),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows);
  return `${paint('bold', 'Memory, bytes')}\n${table.toString()}\n`;
}

/** What the numbers mean, in one sentence. */
export function legend(report: BenchReport): string {
  const { rounds, secondsPerRound, margin } = report.settings;
  return (
    `Medians of ${rounds} interleaved rounds of ${secondsPerRound} s with 95 % intervals (~: too few rounds for one). ` +
    `A difference is shown only when the interval of the ratio excludes 1 and it is above ${(margin * 100).toFixed(0)} %.`
  );
}

/** The whole report. */
export function tableReport(report: BenchReport, paint: Painter): string {
  const { machine } = report;
  const thresholds = report.thresholds.map(
    ({ text, holds, found }) => `${holds ? paint('green', 'holds ') : paint('red', 'FAILED')} ${text}  (${found})`,
  );
  return [
    `${machine.cpu}, ${machine.cpus} processors, ${machine.system}, Node ${machine.node}; ${machine.pinning}`,
    ...report.targets.map(({ name, description }) => `  ${paint('cyan', name.padEnd(16))} ${description}`),
    '',
    ...report.cases.map((each) => caseTable(each, paint)),
    memoryTable(report, paint),
    paint('dim', legend(report)),
    ...thresholds,
    '',
  ].join('\n');
}
