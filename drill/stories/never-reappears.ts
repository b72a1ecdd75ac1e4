/**
 * *Never reappears*: lost, and nobody hears of it again. People are asked by its age; after 45 days it is written off, and
 * the case listens on.
 * @module
 */
import type { CaseState } from '../../playbook/case';
import { closeTask, startClock, stateEncryption, writeOff } from '../../workflows/messages';
import { spans, type Stage } from '../story';

const { hourMs, dayMs } = spans;

export async function neverReappears(stage: Stage): Promise<void> {
  stage.tell('A laptop is lost on a trip. Nobody hears of it again.');
  await stage.report('lost', 'the airport');
  await stage.pass(4 * hourMs);
  await clockOfTheLaw(stage);

  await stage.passTo(45 * dayMs);
  stage.tell('Nobody expects it back any more.');
  stage.answers['write-off'] = 'yes';
  const asked = await stage.pass(10 * dayMs, isListening);
  if (!isListening(asked)) {
    stage.kept('Nobody was asked whether to write it off: no rung of the ladder proposes it.');
    await stage.decide(stage.analyst, writeOff, { reason: 'Nobody expects it back.' });
    await stage.pass(hourMs, isListening);
  }

  const end = await stage.passTo(60 * dayMs);
  stage.expect(isListening(end), `Written off, the case does not listen: it is ${end.outcome}.`);
}

const isListening = ({ listening }: CaseState) => listening !== undefined;

/** The first clock of the settings is started, and stopped in time. */
async function clockOfTheLaw(stage: Stage): Promise<void> {
  const { rules, openedAt } = await stage.state();
  const [clock] = rules.escalation.clocks;
  if (clock === undefined) return;
  stage.tell(`Legal asks whether to notify: the clock of ${clock.law} runs.`);
  const { analyst } = stage;
  await stage.decide(analyst, startClock, { reason: 'Legal asked.', clock: clock.id, awareAt: openedAt });
  await stage.pass(dayMs);
  await stage.decide(analyst, stateEncryption, { reason: 'Read in the console before the trip.', answer: 'yes' });
  for (const { id } of clock.stages) {
    const open = (await stage.state()).tasks.find((task) => task.id === id && task.state === 'open');
    if (open)
      await stage.decide(analyst, closeTask, { reason: 'Encrypted: no risk to persons.', task: id, as: 'not needed' });
  }
}
