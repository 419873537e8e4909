/** The report as Markdown, to paste elsewhere. */

import { type BenchReport, caseRows, memoryRows } from './report';
import { legend } from './report-table';

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}

/** The whole report. */
export function markdownReport(report: BenchReport): string {
  const { machine, settings } = report;
  const sections = report.cases.map((each) => {
    const { head, rows } = caseRows(each);
    return `### ${each.workload}, pipeline ${each.pipeline}\n\n${each.summary}\n\n${table(head, rows)}\n`;
  });
  const memory = memoryRows(report.memory);
  const thresholds = report.thresholds.map(({ text, holds, found }) => [
    `\`${text}\``,
    holds ? 'holds' : '**failed**',
    found,
  ]);
  return [
    `## redis-lite-native ${report.version}, benchmark of ${report.startedAt.slice(0, 10)}\n`,
    `\`${report.command}\`\n`,
    `${machine.cpu}, ${machine.cpus} processors, ${machine.system}, Node ${machine.node}; ${machine.pinning}. ` +
      `${settings.connections} connections, ${settings.keys} keys.\n`,
    table(
      ['target', 'what it is'],
      report.targets.map(({ name, description }) => [name, description]),
    ),
    '',
    ...sections,
    ...(memory.rows.length === 0 ? [] : [`### Memory, bytes\n\n${table(memory.head, memory.rows)}\n`]),
    ...(thresholds.length === 0 ? [] : [`### Thresholds\n\n${table(['threshold', '', 'found'], thresholds)}\n`]),
    legend(report),
    '',
  ].join('\n');
}
