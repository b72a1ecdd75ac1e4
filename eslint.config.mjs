/**
 * What the compiler cannot see: promises that nobody awaits, `any`, and imports against the directions of the house.
 */
import path from 'node:path';
import js from '@eslint/js';
import { require as requireTypeScript } from 'tsx/cjs/api';
import tseslint from 'typescript-eslint';

const { importMistake } = requireTypeScript('./setup/import-directions.ts', import.meta.url);
const nodeGlobals = ['process', 'module', 'require', '__dirname', 'setInterval', 'clearInterval'];
const root = import.meta.dirname;

/** The table and its reasons are in setup/import-directions.ts. */
const importDirections = {
  create(context) {
    const file = path.relative(root, context.filename).split(path.sep).join('/');
    const check = (node, typeOnly) => {
      if (typeof node?.value !== 'string') return;
      const mistake = importMistake(file, { specifier: node.value, typeOnly });
      if (mistake !== undefined) context.report({ node, message: mistake });
    };
    const isType = (specifier) => specifier.importKind === 'type';
    return {
      ImportDeclaration: ({ source, importKind, specifiers }) =>
        check(source, importKind === 'type' || (specifiers.length > 0 && specifiers.every(isType))),
      ExportNamedDeclaration: ({ source, exportKind }) => check(source, exportKind === 'type'),
      ExportAllDeclaration: ({ source, exportKind }) => check(source, exportKind === 'type'),
      ImportExpression: ({ source }) => check(source, false),
    };
  },
};

export default tseslint.config(
  { ignores: ['dist/', 'data/', 'coverage/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    plugins: { house: { rules: { 'import-directions': importDirections } } },
    rules: {
      'house/import-directions': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowNever: true }],
      // Our interfaces hold plain functions in method form; there is hardly a class to lose.
      '@typescript-eslint/unbound-method': 'off',
      // Asynchronous by contract: implementations of an interface need not await.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    // A workflow has neither Node nor a network; its clock and its chance are Temporal's.
    files: ['workflows/**/*.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        'process',
        'fetch',
        'crypto',
        'setImmediate',
        'setInterval',
        'Buffer',
        'console',
      ],
    },
  },
  {
    // Why there is a clock of our own is said there.
    files: ['workflows/**/*.ts'],
    ignores: ['workflows/last-news.ts'],
    rules: {
      'no-restricted-properties': ['error', { object: 'Date', property: 'now', message: 'Use last-news.ts.' }],
      'no-restricted-syntax': [
        'error',
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Use last-news.ts.' },
        { selector: "MemberExpression[property.name='continueAsNewSuggested']", message: 'Use last-news.ts.' },
      ],
    },
  },
  {
    // Jest's matchers and parsed answers are `any` by nature.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])),
    },
  },
);
