/**
 * Names in one place of a tenant's settings that must stand in another: persons, rotas, notifiers, stages.
 * @module
 */
import { defaultRules } from '../playbook/rules';
import type { Mistakes, Path } from './mistakes';
import { childOf, entriesOf, itemsOf } from './written';

const nobody = 'is neither a person nor a rota: correct it, or add it to people or rotas';
const noPerson = 'is no person: correct it, or add it to people';
const noProduct = 'is no product: correct it, or add it to plugins';
const noNotifier = 'is no notifier: correct it, or add it to plugins';

/**
 * Check the names of one tenant.
 * @param written The tenant's part of the file.
 * @param notifiers Names of its plugins that page people.
 */
export function checkNames(written: unknown, at: Path, notifiers: Set<string>, mistakes: Mistakes): void {
  const people = entriesOf(childOf(written, 'people'));
  const rotas = entriesOf(childOf(written, 'rotas'));
  const persons = new Set(people.map(([name]) => name));
  const anybody = new Set([...persons, ...rotas.map(([name]) => name)]);
  const checkList = (list: unknown, path: Path, known: Set<string>, message: string) => {
    for (const [index, name] of itemsOf(list).entries())
      if (typeof name === 'string' && !known.has(name.trim())) mistakes.add([...path, index], message);
  };
  const checkWhom = (part: unknown, path: Path, key: 'whom' | 'owner' | 'deputies') =>
    checkList(childOf(part, key), [...path, key], anybody, nobody);
  const checkAudience = (part: unknown, path: Path) => {
    checkWhom(part, path, 'whom');
    checkList(childOf(part, 'by'), [...path, 'by'], notifiers, noNotifier);
  };

  for (const [name, person] of people) {
    const path = [...at, 'people', name];
    for (const [notifier] of entriesOf(childOf(person, 'notify')))
      if (!notifiers.has(notifier)) mistakes.add([...path, 'notify', notifier], noNotifier);
    checkWhom(person, path, 'deputies');
  }
  for (const [name, rota] of rotas) {
    const path = [...at, 'rotas', name];
    if (persons.has(name)) mistakes.add(path, 'is a person too: choose another name');
    checkList(childOf(rota, 'members'), [...path, 'members'], persons, noPerson);
    checkWhom(rota, path, 'deputies');
  }

  const products = new Set(entriesOf(childOf(written, 'plugins')).map(([name]) => name));
  for (const [name] of entriesOf(childOf(written, 'agentHosts')))
    if (!products.has(name)) mistakes.add([...at, 'agentHosts', name], noProduct);

  checkList(childOf(written, 'onCall'), [...at, 'onCall'], anybody, nobody);

  const escalation = childOf(childOf(written, 'rules'), 'escalation');
  const rules: Path = [...at, 'rules', 'escalation'];
  checkAudience(childOf(escalation, 'news'), [...rules, 'news']);
  const listed = (key: 'ladder' | 'tasks' | 'clocks') => partsOf(escalation, key, rules);
  const [ladder, tasks, clocks] = [listed('ladder'), listed('tasks'), listed('clocks')];
  const stages = clocks.flatMap(({ part, path }) => partsOf(part, 'stages', path));
  for (const { part, path } of ladder) checkAudience(part, path);
  for (const { part, path } of [...tasks, ...stages]) checkWhom(part, path, 'owner');

  checkUnique(ladder, 'name', 'is the name of two rungs: choose another', mistakes);
  checkUnique(clocks, 'id', 'is the id of two clocks: choose another', mistakes);
  // Stages become tasks of the case; and where one list is not given, the defaults of the other stand beside it.
  const missing = (key: 'tasks' | 'clocks') => childOf(escalation, key) === undefined;
  const { escalation: usual } = defaultRules;
  const taken = [
    ...(missing('tasks') ? usual.tasks : []),
    ...(missing('clocks') ? usual.clocks.flatMap((clock) => clock.stages) : []),
  ].map(({ id }) => id);
  checkUnique([...tasks, ...stages], 'id', 'is the id of two tasks or stages: choose another', mistakes, taken);
  for (const { part, path } of clocks) checkOrder(partsOf(part, 'stages', path), mistakes);
}

interface Part {
  part: unknown;
  path: Path;
}

const partsOf = (whole: unknown, key: string, path: Path): Part[] =>
  itemsOf(childOf(whole, key)).map((part, index) => ({ part, path: [...path, key, index] }));

function checkUnique(parts: Part[], key: string, message: string, mistakes: Mistakes, taken: string[] = []): void {
  const seen = new Set<unknown>(taken);
  for (const { part, path } of parts) {
    const name = childOf(part, key);
    if (name !== undefined && seen.has(name)) mistakes.add([...path, key], message);
    seen.add(name);
  }
}

/** A stage begins with the awareness, or when an earlier one of the same clock is done. */
function checkOrder(stages: Part[], mistakes: Mistakes): void {
  const before = new Set<unknown>(['awareness']);
  for (const { part, path } of stages) {
    const from = childOf(part, 'from');
    if (typeof from === 'string' && !before.has(from))
      mistakes.add([...path, 'from'], 'is no stage before it: write awareness, or the id of an earlier one');
    before.add(childOf(part, 'id'));
  }
}
