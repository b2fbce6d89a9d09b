// Bundles the playground into dist/, every file compressed with brotli, and lists the files for the server.
// The same sources and Node's same brotli give the same bytes.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { dist, rustTable, sha256, sourcesHash } from './manifest.mjs';

const contentTypes = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};

const shared = {
  absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  outdir: 'dist',
  // The licences are collected in one file instead.
  legalComments: 'none',
  target: 'es2022',
};

const scripts = await build({
  ...shared,
  entryPoints: {
    app: 'src/main.jsx',
    'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
    'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
    'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
  },
  format: 'esm',
  // The workers have much of Monaco and GraphQL in common with the page: as chunks they are stored and loaded once.
  splitting: true,
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  // GraphiQL's style sheet already holds the rules that Monaco's modules import one by one.
  loader: { '.css': 'empty' },
  // GraphiQL imports these by old names that stand for CommonJS files, in which it does not find what it looks for.
  alias: { 'prettier/parser-babel': 'prettier/plugins/babel', 'prettier/parser-graphql': 'prettier/plugins/graphql' },
});

const styles = await build({ ...shared, entryPoints: ['src/app.css'] });

const contents = new Map(
  [...scripts.outputFiles, ...styles.outputFiles].map(({ path, contents }) => [basename(path), Buffer.from(contents)]),
);
contents.set('licenses.txt', Buffer.from(licenses(scripts.metafile, styles.metafile)));

// One address for each build: the files may be cached for ever. The page names them, and they name each other, by relative
// address, so that the server may stand below any path.
const names = [...contents.keys()].sort();
const base = `playground/${sha256(...names.flatMap(name => [name, '\0', sha256(contents.get(name))])).slice(0, 16)}`;
const page = readFileSync(new URL('src/index.html', import.meta.url), 'utf8').replaceAll('{{base}}', base);

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
const manifest = {
  sources: sourcesHash(),
  files: [
    emit('index.html', '/', Buffer.from(page)),
    ...names.map(name => emit(name, `/${base}/${name}`, contents.get(name))),
  ],
};
writeFileSync(new URL('manifest.json', dist), `${JSON.stringify(manifest, null, 2)}\n`);
writeFileSync(new URL('assets.rs', dist), rustTable(manifest));

const total = key => manifest.files.reduce((sum, file) => sum + file[key], 0);
console.log(`playground/dist: ${manifest.files.length} files, ${total('bytes')} bytes, ${total('brotliBytes')} as brotli`);

/** Writes one compressed file and returns its line in the manifest. */
function emit(name, path, content) {
  const compressed = brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    },
  });
  const file = `${name}.br`;
  writeFileSync(new URL(file, dist), compressed);
  return {
    file,
    path,
    contentType: contentTypes[extname(name)],
    etag: sha256(content).slice(0, 32),
    bytes: content.length,
    brotliBytes: compressed.length,
    sha256: sha256(compressed),
  };
}

/** The licence texts of every package with a byte in the bundle. */
function licenses(...metafiles) {
  const packages = new Set();
  for (const { outputs } of metafiles) {
    for (const { inputs } of Object.values(outputs)) {
      for (const input of Object.keys(inputs)) {
        const [found] = input.match(/^.*node_modules\/(@[^/]+\/)?[^/]+/) ?? [];
        if (found) packages.add(found);
      }
    }
  }
  const texts = [...packages].sort().map(directory => {
    const folder = new URL(`${directory}/`, import.meta.url);
    const { name, version, license } = JSON.parse(readFileSync(new URL('package.json', folder)));
    const notices = readdirSync(folder)
      .filter(entry => /^(licen[cs]e|notice|thirdpartynotices)/i.test(entry))
      .sort()
      .map(entry => readFileSync(new URL(entry, folder), 'utf8').trim());
    return [`${name} ${version} (${license})`, ...notices].join('\n\n');
  });
  return `${[
    'The playground contains the packages below, each under its own licence. The style sheet embeds the fonts Fira Code\n' +
      '(SIL Open Font License 1.1), Roboto (Apache License 2.0) and Codicons (Creative Commons Attribution 4.0).',
    ...texts,
  ].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
