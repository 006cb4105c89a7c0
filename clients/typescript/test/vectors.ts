// The vectors that the Go packages wire and wire/diff are tested with, and how to read them.

const root = new URL("../../../../", import.meta.url);

export const vectorsFolder = new URL("wire/testdata/vectors/", root);
export const diffsFile = new URL("wire/diff/testdata/diffs.json", root);

export const fromHex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
