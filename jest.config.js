/**
 * Tests by tier, one folder each. The tiers that run workflows share one bundle and one server that skips time.
 */
const shared = {
  rootDir: __dirname,
  testEnvironment: 'node',
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
};
const tests = (...folders) => folders.map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`);
const withWorkflows = {
  globalSetup: '<rootDir>/test/setup/global-setup.ts',
  globalTeardown: '<rootDir>/test/setup/global-teardown.ts',
};

/** @type {import('jest').Config} */
module.exports = {
  // Three for two processors: tests of what comes later mostly wait.
  maxWorkers: 3,
  testTimeout: 180_000,
  projects: [
    { ...shared, displayName: 'unit', testMatch: tests('unit') },
    { ...shared, displayName: 'conformance', testMatch: tests('conformance') },
    { ...shared, ...withWorkflows, displayName: 'workflows', testMatch: tests('setup', 'workflows') },
    { ...shared, ...withWorkflows, displayName: 'histories', testMatch: tests('histories') },
    { ...shared, ...withWorkflows, displayName: 'integration', testMatch: tests('integration') },
    { ...shared, ...withWorkflows, displayName: 'faults', testMatch: tests('faults') },
  ],
};
