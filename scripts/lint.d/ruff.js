// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// usage: node ruff.js PACKAGE-DIR [--fix] FILE...    with the options as JSON on standard input
//
// Runs ruff over Python files: its checks and its formatting. The options are those of the table
// [tool.ruff] of pyproject.toml. Debian has no ruff; the npm
// package in PACKAGE-DIR is ruff itself, compiled to WebAssembly, without the command line.
// --fix writes files formatted and with the safe corrections made.
"use strict";
const fs = require("fs");
const path = require("path");

const [packageDir, ...args] = process.argv.slice(2);
const ruff = require(path.resolve(packageDir));
const options = JSON.parse(fs.readFileSync(0, "utf8"));
const workspace = new ruff.Workspace(options, ruff.PositionEncoding.Utf16);

const fix = args[0] === "--fix";
let found = 0;

function report(file, row, column, text) {
  console.log(`${file}:${row}:${column}: ${text}`);
  found++;
}

// The corrections of one round, from the end of the text to its start so that places stay true.
function applyFixes(text, diagnostics) {
  const starts = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === "\n") starts.push(i + 1);
  const at = (place) => starts[place.row - 1] + place.column - 1;
  const edits = diagnostics
    .flatMap((d) => (d.fix ? d.fix.edits : []))
    .map((e) => ({ from: at(e.location), to: at(e.end_location), content: e.content || "" }))
    .sort((a, b) => b.from - a.from);
  let limit = Infinity;
  for (const e of edits) {
    if (e.to > limit) continue;
    text = text.slice(0, e.from) + e.content + text.slice(e.to);
    limit = e.from;
  }
  return text;
}

for (const file of fix ? args.slice(1) : args) {
  let text = fs.readFileSync(file, "utf8");
  if (fix) {
    const before = text;
    // A correction may be the next one's cause; a few rounds settle it.
    for (let round = 0, last = ""; round < 5 && text !== last; round++) {
      last = text;
      text = workspace.format(applyFixes(text, workspace.check(text)));
    }
    if (text !== before) fs.writeFileSync(file, text);
  }
  for (const d of workspace.check(text)) {
    report(file, d.start_location.row, d.start_location.column, `${d.code || "syntax"} ${d.message}`);
  }
  let formatted;
  try {
    formatted = workspace.format(text);
  } catch (error) {
    report(file, 1, 1, `cannot be formatted: ${error}`);
    continue;
  }
  if (formatted !== text) {
    const a = text.split("\n");
    const b = formatted.split("\n");
    const row = a.findIndex((line, i) => line !== b[i]);
    report(file, row + 1, 1, "not formatted as ruff does it (scripts/lint --fix)");
  }
}
process.exit(found ? 1 : 0);
