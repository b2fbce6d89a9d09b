// Checks, without building, that dist/ is whole and was built from the present sources.

import { readdirSync, readFileSync } from 'node:fs';
import { dist, rustTable, sha256, sourcesHash } from './manifest.mjs';

const manifest = JSON.parse(readFileSync(new URL('manifest.json', dist)));
const problems = [];

if (manifest.sources !== sourcesHash()) problems.push('the sources have changed since dist/ was built');

const expected = new Set(['assets.rs', 'manifest.json', ...manifest.files.map(({ file }) => file)]);
const present = new Set(readdirSync(dist));
for (const name of expected) if (!present.has(name)) problems.push(`dist/${name} is missing`);
for (const name of present) if (!expected.has(name)) problems.push(`dist/${name} is not in the manifest`);

for (const { file, sha256: hash } of manifest.files) {
  if (present.has(file) && sha256(readFileSync(new URL(file, dist))) !== hash) {
    problems.push(`dist/${file} is not the file that was built`);
  }
}
if (present.has('assets.rs') && readFileSync(new URL('assets.rs', dist), 'utf8') !== rustTable(manifest)) {
  problems.push('dist/assets.rs does not agree with the manifest');
}

if (problems.length > 0) {
  console.error(`${problems.join('\n')}\nRun \`npm ci && npm run build\` in playground/ and commit dist/.`);
  process.exitCode = 1;
} else {
  console.log(`playground/dist: ${manifest.files.length} files, in step with the sources`);
}
