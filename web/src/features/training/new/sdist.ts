// A Python source distribution around one script, made in the browser: setup.py, a package, the script as its task.

const BLOCK = 512;
const encoder = new TextEncoder();

/** The bytes of a .tar.gz whose module `trainer_script.task` is the script. */
export async function sdistOf(script: string, requirements: readonly string[]): Promise<Blob> {
  const setup = [
    "from setuptools import find_packages, setup",
    `setup(name="trainer_script", version="0.1", packages=find_packages(), install_requires=${JSON.stringify(requirements)})`,
    "",
  ].join("\n");
  const root = "trainer_script-0.1";
  const tar = tarOf({
    [`${root}/PKG-INFO`]: "Metadata-Version: 2.1\nName: trainer_script\nVersion: 0.1\n",
    [`${root}/setup.py`]: setup,
    [`${root}/trainer_script/__init__.py`]: "",
    [`${root}/trainer_script/task.py`]: script,
  });
  const zipped = new Blob([tar as BlobPart]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(zipped).blob();
}

/** A ustar archive of plain files (POSIX.1-1988); names of at most 100 bytes. */
export function tarOf(files: Record<string, string>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, text] of Object.entries(files)) {
    const content = encoder.encode(text);
    parts.push(header(name, content.length), content, new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function header(name: string, size: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (text: string, at: number) => block.set(encoder.encode(text), at);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  put(name, 0);
  put(octal(0o644, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(size, 11), 124);
  put(octal(Math.floor(Date.now() / 1000), 11), 136);
  put(" ".repeat(8), 148);
  put("0", 156);
  put("ustar\0", 257);
  put("00", 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
