#!/usr/bin/env node
import { main } from "./cli.ts";

// A closed pipe shows in the callback of the write; without a listener the event would end the process with a stack.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

process.exitCode = await main(process.argv.slice(2), { stdout: process.stdout, stderr: process.stderr, env: process.env });
