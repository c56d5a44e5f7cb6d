/**
 * A Vitest reporter for run.mjs: what passed and what failed, with a sentence for each failure, as one JSON file
 * at `PICTOR_TEST_SUMMARY`. Vitest's own JSON leaves out errors that no test caught, which are the
 * hardest to find afterwards.
 */
import { writeFileSync } from 'node:fs';

const SENTENCE_LENGTH_MAX = 300;
const ESCAPES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

const sentence = (error) => `${error?.message ?? error}`.replaceAll(ESCAPES, '').replaceAll(/\s+/g, ' ').slice(0, SENTENCE_LENGTH_MAX);

export default class Summary {
  #counts = { passed: 0, failed: 0, skipped: 0 };
  #failures = [];

  #fail(what, errors) {
    this.#counts.failed++;
    this.#failures.push(`${what}: ${errors.map(sentence).join('; ') || 'no reason given'}`);
  }

  onTestCaseResult(test) {
    const { state, errors } = test.result();
    if (state === 'failed') this.#fail(`${test.module.relativeModuleId} > ${test.fullName}`, errors);
    else if (state === 'passed') this.#counts.passed++;
    else this.#counts.skipped++;
  }

  onTestSuiteResult(suite) {
    if (suite.errors().length > 0) this.#fail(`${suite.module.relativeModuleId} > ${suite.fullName}`, suite.errors());
  }

  onTestModuleEnd(module) {
    if (module.errors().length > 0) this.#fail(module.relativeModuleId, module.errors());
  }

  onTestRunEnd(_modules, unhandledErrors) {
    for (const error of unhandledErrors) this.#fail('outside of every test', [error]);
    writeFileSync(process.env.PICTOR_TEST_SUMMARY, JSON.stringify({ ...this.#counts, failures: this.#failures }));
  }
}
