// Does a worker take only what the schema allows, and does no message hold a password?
import { describe, expect, test } from "vitest";
import { loadPreset } from "../../isa/index.ts";
import { checkedTask } from "../../sweep/queue-worker.ts";
import { redisPlace } from "../../sweep/redis.ts";
import type { Task } from "../../sweep/task.ts";

const task: Task = {
  model: "0".repeat(64),
  machine: { ...loadPreset("rap-e").parameters },
  optimize: 1,
  packing: null,
  frames: 1,
  overlapFrames: false,
  points: [{ index: 0, rates: { "dram.bytesPerCycle": 2 } }],
};
/** As it comes out of Redis. */
const received = (text: string): unknown => JSON.parse(text);
const json = JSON.stringify(task);

test("a task is taken as it is", () => expect(checkedTask(received(json))).toEqual(task));

describe("messages refused, with place and rule", () => {
  test.each<[string, string, string]>([
    ["nothing", "null", "it: Invalid input"],
    ["a list", "[]", "it: Invalid input"],
    ["an unknown field", json.replace("{", '{"code":"process.exit()",'), 'it: Unrecognized key: "code"'],
    ["a path for a network", json.replace("0".repeat(64), "../../etc/passwd"), "model: Invalid string"],
    ["a built-in network by name", json.replace("0".repeat(64), "tiny"), "model: Invalid string"],
    ["a parameter that is none", json.replace('"agents":', '"__defineGetter__":1,"agents":'), "machine"],
    ["a rate that is none", json.replace('{"dram.bytesPerCycle":2}', '{"constructor":1}'), "points.0.rates"],
    ["a polluting field", json.replace("{", '{"__proto__":{"polluted":1},'), "Unrecognized key"],
    [
      "a value that is an object",
      json.replace('"dram.bytesPerCycle":2}', '"dram.bytesPerCycle":{"valueOf":1}}'),
      "points.0.rates",
    ],
    ["a parameter left out", json.replace('"agents":16,', ""), "machine"],
    [
      "more points than a task has",
      json.replace('"points":[', `"points":[${'{"index":1,"rates":{}},'.repeat(16)}`),
      "points",
    ],
    ["frames without end", json.replace('"frames":1', '"frames":1e9'), "frames: Too big"],
    ["an effort that is none", json.replace('"optimize":1', '"optimize":9'), "optimize"],
    ["an index that is none", json.replace('"index":0', '"index":-1'), "points.0.index"],
  ])("%s", (_name, text, message) => {
    expect(() => checkedTask(received(text))).toThrow(`not a task of this version: `);
    expect(() => checkedTask(received(text))).toThrow(message);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe("addresses", () => {
  test("password, user, database and TLS come from the URL, the password else from the environment", () => {
    expect(redisPlace("rediss://me:h%40sh@db.example:7000/3", "other")).toEqual({
      shown: "rediss://db.example:7000",
      options: {
        host: "db.example",
        port: 7000,
        db: 3,
        username: "me",
        password: "h@sh",
        tls: {},
      },
    });
    expect(redisPlace("redis://[::1]", "hush")).toEqual({
      shown: "redis://[::1]:6379",
      options: { host: "::1", port: 6379, db: 0, password: "hush" },
    });
  });

  test.each(["redis//me:hush@h", "http://me:hush@h", "redis://me:hush@h/x", "redis://"])(
    "%s is refused unquoted",
    (url) => {
      let message = "";
      try {
        redisPlace(url, undefined);
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).toMatch(/^--redis: /);
      expect(message).not.toContain("hush");
    },
  );
});
