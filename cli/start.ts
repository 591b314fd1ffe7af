#!/usr/bin/env node
import { Bundle } from "./bundle.ts";

const { run } = new Bundle(import.meta.dirname).load("main.js") as typeof import("./main.ts");
void run(process.argv.slice(2));
