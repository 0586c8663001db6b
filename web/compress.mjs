// Puts a compressed twin beside each built file that gains by it; the server sends the twin to whoever takes it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = process.argv[2];
for (const name of readdirSync(folder, { recursive: true })) {
  if (!/\.(js|css|svg|html|json)$/.test(name)) continue;
  const path = join(folder, name);
  const plain = readFileSync(path);
  const twins = {
    gz: gzipSync(plain, { level: 9 }),
    br: brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  };
  for (const [kind, twin] of Object.entries(twins)) {
    if (twin.length < plain.length) writeFileSync(`${path}.${kind}`, twin);
  }
}
