/**
 * Every import of the project points in the direction that the design draws.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { importMistake, type Import } from '../../setup/import-directions';

const root = path.resolve(__dirname, '../..');

test('all imports of the project', () => {
  const files = sourceFiles();
  expect(files).toContain('workflows/index.ts');
  const mistakes = files.flatMap((file) =>
    importsOf(readFileSync(path.join(root, file), 'utf8')).flatMap((each) => {
      const mistake = importMistake(file, each);
      return mistake === undefined ? [] : [`${file}: ${mistake}`];
    }),
  );
  expect(mistakes).toEqual([]);
});

test.each([
  ['playbook/case.ts', `import { errorCatalogue } from '../plugins/errors';`],
  ['playbook/case.ts', `import { z } from 'zod';`],
  ['playbook/case.ts', `import { caseState } from './schemas/case-state';`],
  ['workflows/tracks/presence.ts', `import { readFile } from 'node:fs/promises';`],
  ['workflows/tracks/presence.ts', `import { z } from 'zod';`],
  ['workflows/tracks/presence.ts', `import { caseState } from '../../playbook/schemas/case-state';`],
  ['workflows/tracks/presence.ts', `import { createActivities } from '../../activities';`],
  ['workflows/tracks/presence.ts', `import type { Call } from '../../plugins/roles';`],
  ['workflows/lost-device.ts', `const { Client } = await import('@temporalio/client');`],
  ['workflows/lost-device.ts', `export * from '../activities/watch';`],
  ['activities/watch.ts', `import { netskope } from '../plugins/netskope';`],
  ['activities/watch.ts', `import { lostDevice } from '../workflows/lost-device';`],
  ['plugins/roles.ts', `import type { Graph } from './entra/graph';`],
  ['plugins/netskope/client.ts', `import { graph } from '../entra/graph';`],
  ['plugins/netskope/client.ts', `import { entra } from '../entra';`],
  ['plugins/netskope/client.ts', `import { plugins } from '..';`],
  ['plugins/netskope/client.ts', `import type { CaseInput } from '../../workflows/messages';`],
  ['client/cases.ts', `import type { House } from '../activities/house';`],
  ['http/api.ts', `import { lostDevice } from '../workflows/lost-device';`],
  ['worker.ts', `import { startSimulator } from './simulator/server';`],
  ['http/api.ts', `const demo = require('../demo/world');`],
  ['activities/watch.ts', `import { startHouse } from '../house';`],
  ['simulator/server.ts', `import { severity } from '../plugins/netskope/schemas';`],
])('%s may not contain: %s', (file, text) => {
  const [first] = importsOf(text);
  expect(importMistake(file, first!)).toMatch(/ not import /);
});

test.each([
  ['workflows/tracks/presence.ts', `import type { watch } from '../../activities/watch';`],
  ['workflows/tracks/presence.ts', `import { namesOf } from '../../playbook/case';`],
  ['workflows/tracks/presence.ts', `import { sleep } from '@temporalio/workflow';`],
  ['plugins/netskope/client.ts', `import { createVendorClient } from '../http';`],
  ['plugins/index.ts', `import { netskope } from './netskope';`],
  ['test/unit/x.test.ts', `import { startSimulator } from '../../simulator/server';`],
  ['worker.ts', `import { createActivities } from './activities';`],
])('%s may contain: %s', (file, text) => {
  const [first] = importsOf(text);
  expect(importMistake(file, first!)).toBeUndefined();
});

function sourceFiles(): string[] {
  const skipped = ['node_modules', 'dist', 'data', 'coverage', '.git'];
  return readdirSync(root, { withFileTypes: true }).flatMap((entry) => {
    if (skipped.includes(entry.name)) return [];
    if (!entry.isDirectory()) return entry.name.endsWith('.ts') ? [entry.name] : [];
    return readdirSync(path.join(root, entry.name), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => path.posix.join(entry.name, name.replaceAll(path.sep, '/')));
  });
}

function importsOf(text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (specifier && ts.isStringLiteral(specifier)) found.push({ specifier: specifier.text, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const clause = node.importClause;
      const named = clause?.namedBindings;
      const everyName = named && ts.isNamedImports(named) && named.elements.every(({ isTypeOnly }) => isTypeOnly);
      add(node.moduleSpecifier, clause?.isTypeOnly === true || (everyName === true && clause?.name === undefined));
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true);
    } else if (ts.isCallExpression(node)) {
      const { expression } = node;
      const loads =
        expression.kind === ts.SyntaxKind.ImportKeyword ||
        (ts.isIdentifier(expression) && expression.text === 'require');
      if (loads) add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true));
  return found;
}
