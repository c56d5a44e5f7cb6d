/** ESLint looks at Svelte templates only; oxlint does everything else, and much faster. */
import svelte from 'eslint-plugin-svelte';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['**/*.ts', '**/*.js', '**/*.mjs', '!**/*.svelte.ts', '.svelte-kit/**', 'build/**'] },
  ...svelte.configs.recommended,
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
    // The site always stands at the root of its host.
    rules: { 'svelte/no-navigation-without-resolve': 'off' },
  },
);
