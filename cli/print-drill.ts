/**
 * The report of a drill as plain text for people.
 * @module
 */
import type { DrillReport } from '../drill/report';
import { clockTime } from '../playbook/clock-time';
import { section, table, text } from './print';

const longestLine = 180;

/** What is wrong first, then what the settings lack, then the course. */
export function printDrill(report: DrillReport): string {
  const { says, wrong, kept, lacks, course, asked, tasks, calls, sent } = report;
  return text([
    says,
    ...section('Not as it should be', wrong),
    ...section('Could not have happened', kept),
    ...section(
      'What the settings lack',
      lacks.flatMap(({ setting, says: lacking, remedy }) => [setting, `  ${lacking} ${remedy}`]),
    ),
    ...section(
      'What would have happened (times in UTC)',
      course.flatMap(({ at, day, who, what, evidence }) => {
        if (who === 'story') return ['', `${moment(day, at)}  ── ${what}`];
        const by = who === 'playbook' ? '' : `${who}: `;
        return [shortened(`${moment(day, at)}  ${by}${what}${evidence === undefined ? '' : ` (${evidence})`}`)];
      }),
    ),
    ...section(
      'Who would have been asked',
      asked.flatMap(({ at, day, what, whom, answer, who }) => [
        `${moment(day, at)}  ${whom.join(', ') || 'whoever is on call'}: ${what}`,
        ...(answer === undefined ? [] : [`${' '.repeat(16)}${who ?? 'somebody'} answered: ${answer}`]),
      ]),
    ),
    ...section(
      'Tasks for people',
      table(
        tasks.map(({ id, title, owner, dueAt }) => [
          dueAt === undefined ? '' : `due ${clockTime(dueAt)}`,
          id,
          owner.join(', ') || 'nobody by name',
          title,
        ]),
      ),
    ),
    ...section('Who would have been called (nobody was)', calls.flatMap(callLines)),
    ...section(
      'What would have been sent (nothing was)',
      table(sent.map(({ product, what, ...often }) => [product, howOften(often), what])),
    ),
  ]);
}

function callLines({ subject, people, quiet, missed, ...often }: DrillReport['calls'][number]): string[] {
  return [
    `${subject}: ${howOften(often)}`,
    ...table(
      people.map(({ who, by, address, ...times }) => ['', who, `by ${by}`, `at ${address} address`, howOften(times)]),
    ),
    ...quiet.map(
      ({ who, times, until }) =>
        `  ${who} had quiet hours ${times === 1 ? 'once' : `${times} times`}, the last time until ${clockTime(until)}`,
    ),
    ...missed.map((line) => `  not reached: ${line}`),
  ];
}

/** Questions stand whole further down, and everything with `--json`. */
const shortened = (line: string) => (line.length > longestLine ? `${line.slice(0, longestLine)}…` : line);

const moment = (day: number, at: string) => `day ${String(day).padStart(2)}  ${at.slice(11, 16)}`;

function howOften({ times, firstAt, lastAt }: { times: number; firstAt: string; lastAt: string }): string {
  if (times === 0) return `never, first due ${clockTime(firstAt)}`;
  return times === 1 ? `once, ${clockTime(lastAt)}` : `${times} times, ${clockTime(firstAt)} to ${clockTime(lastAt)}`;
}
