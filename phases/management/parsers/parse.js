// One line of base64 in, one digit out: 1 where TypeScript can parse the text, as TypeScript or with JSX.
const ts = require(process.argv[2] || "typescript");
const kinds = [ts.ScriptKind.TS, ts.ScriptKind.TSX, ts.ScriptKind.JSX];
const parses = (text) => kinds.some((kind) =>
  ts.createSourceFile("x", text, ts.ScriptTarget.Latest, false, kind).parseDiagnostics.length === 0);
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  process.stdout.write(parses(Buffer.from(line, "base64").toString("utf8")) ? "1\n" : "0\n");
});
