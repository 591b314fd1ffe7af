// Average precision on KITTI photographs: is our arithmetic that of KITTI's own program, is the float network through our
// pipeline as precise as elsewhere, and what do the integers cost? Needs the data beside the repository.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { scoreLevels, tallyLevels } from "../../host/average-precision.ts";
import { KITTI_CLASSES } from "../../host/evaluation/kitti-rules.ts";
import { parseKitti } from "../../host/index.ts";
import type { EvaluationReport } from "../../report/eval-report.ts";
import { rapsim } from "../cli/harness.ts";
import { shared, whySkipped } from "../support/shared-data.ts";

const dataset = dirname(shared.photos);
const expected = dirname(shared.detections);

/** Nine average precisions, 0..1: car, pedestrian, cyclist; easy, moderate, hard. */
function officialAps(block: "confidence>0.4" | "confidence>0.005"): number[] {
  const { ap } = JSON.parse(readFileSync(join(expected, "float-ap.json"), "utf8"));
  return KITTI_CLASSES.flatMap(({ name }) => ap[block][name] as number[]);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (values: readonly number[]) => values.map((value) => (100 * value).toFixed(2)).join(" ");

describe.skipIf(whySkipped !== null)(
  `average precision on KITTI${whySkipped === null ? "" : ` (skipped: ${whySkipped})`}`,
  () => {
    test.each([
      ["float-detections", "confidence>0.4"],
      ["float-detections-low", "confidence>0.005"],
    ] as const)("of %s: the nine numbers of KITTI's program to 1e-4", (folder, block) => {
      const photos = readdirSync(join(expected, folder))
        .sort()
        .map((file) => {
          const objects = (path: string) => parseKitti(readFileSync(path, "utf8"), path);
          return {
            labels: objects(join(dataset, "label_2", file)),
            detections: objects(join(expected, folder, file)).map((object) => ({ ...object, score: object.score! })),
          };
        });
      expect(photos).toHaveLength(80);
      const { aps } = scoreLevels(
        tallyLevels(photos, KITTI_CLASSES),
        photos.map(() => 1),
        11,
      );
      for (const [i, official] of officialAps(block).entries()) {
        expect(Math.abs(aps[i]! - official), `number ${i}`).toBeLessThan(1e-4);
      }
    });

    describe.each([
      // decibels: class scores, confidences, box deltas
      { activations: "i8", apLoss: 0.015, matchRate: 0.99, iou: 0.945, decibels: [27, 29, 19.5] },
      // 1.3 points are lost, 0.8 of them by one sample of one curve (docs/quantization.md)
      { activations: "u8", apLoss: 0.015, matchRate: 0.995, iou: 0.953, decibels: [31, 33, 24] },
    ])("rapsim eval, $activations", ({ activations, apLoss, matchRate, iou, decibels }) => {
      let report: EvaluationReport;

      beforeAll(async () => {
        const argv = ["--dataset", dataset, "--float", shared.model, "--threads", "1", "--json", "-"];
        const { code, stdout, stderr } = await rapsim(["eval", shared.model, "--activations", activations, ...argv]);
        expect([code, stderr]).toEqual([0, ""]);
        report = JSON.parse(stdout);
      });

      test("the float network's nine numbers are within 0.5 points of the official ones", () => {
        const float = report.levels.map((level) => level.float!.value!);
        const official = officialAps("confidence>0.005");
        console.log(`float    ${percent(float)}, mean ${percent([mean(float)])}`);
        console.log(`official ${percent(official)}, mean ${percent([mean(official)])}`);
        for (const [i, value] of float.entries()) {
          const { class: name, difficulty } = report.levels[i];
          expect(Math.abs(value - official[i]), `${name} ${difficulty}`).toBeLessThan(0.005);
        }
      });

      test("INT8 without data is close to float", () => {
        const int8 = report.levels.map((level) => level.int8.value!);
        const { difference } = report.mean;
        const { floatBoxes, matched, meanIou } = report.agreement!;
        console.log(`INT8     ${percent(int8)}, mean ${percent([mean(int8)])}`);
        console.log(
          `mean less float's: ${percent([difference!.value!])} points (95 % of resamples: ${percent(difference!.interval!)}); ` +
            `matched ${matched} of ${floatBoxes} (${percent([matched / floatBoxes])} %), mean IoU ${meanIou.toFixed(4)}`,
        );
        expect(floatBoxes).toBe(442);
        expect(difference!.value!).toBeGreaterThanOrEqual(-apLoss);
        expect(matched / floatBoxes).toBeGreaterThanOrEqual(matchRate);
        expect(meanIou).toBeGreaterThanOrEqual(iou);
      });

      test("the head's signal to noise", () => {
        const { classScores, confidence, boxDeltas } = report.headSqnrDb!;
        const found = [classScores, confidence, boxDeltas].map((db) => db!);
        console.log(`signal to noise, dB: ${found.map((db) => db.toFixed(1)).join(" ")}`);
        for (const [i, least] of decibels.entries()) expect(found[i]).toBeGreaterThanOrEqual(least);
      });
    });
  },
);
