/** JSON with its integers as bigints: they may exceed what a number holds. */
export function parseBig(text: string): any {
	const marked = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi, (token) => (/^-?\d+$/.test(token) ? `{"$integer":"${token}"}` : token));
	return JSON.parse(marked, (_, value) => (value?.$integer !== undefined ? BigInt(value.$integer) : value));
}
