/**
 * *Recovered*: stolen; a café, which proves nothing; days later a home, where the configuration arrives and bites; handed
 * in after 60 days.
 * @module
 */
import { recovered as decideRecovered } from '../../workflows/messages';
import { spans, type Stage } from '../story';

const { minuteMs, hourMs, dayMs } = spans;

export async function recovered(stage: Stage): Promise<void> {
  stage.tell('A laptop is stolen on a train. It is off.');
  await stage.report('stolen', 'the train');

  await stage.passTo(2 * dayMs);
  stage.tell('Somebody opens the lid in a café, for three minutes.');
  const cafe = await stage.online('a café', 3 * minuteMs);
  stage.expect(cafe.presence.count > 0, 'No feed of the settings heard the laptop in the café.');

  await stage.passTo(12 * dayMs);
  stage.tell('It is online at somebody’s home for three hours.');
  const home = await stage.online('a home', 3 * hourMs);
  const { applied } = home.configuration.rungs;
  stage.expect(
    applied !== undefined,
    `Three hours online did not prove the lost configuration: ${home.configuration.says}`,
  );

  await stage.passTo(60 * dayMs);
  stage.tell('The police hand the laptop in.');
  await stage.decide(stage.analyst, decideRecovered, { reason: 'Handed in by the police.' });
  const end = await stage.pass(dayMs, ({ closedAt }) => closedAt !== undefined);
  stage.expect(end.closedAt !== undefined, 'The case did not close after the laptop was back.');
  const group = end.containment.measures['lost-group']?.state;
  stage.expect(group === 'undone', `The user is not free again: the lost group is ${group ?? 'unknown'}.`);
}
