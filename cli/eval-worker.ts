/** A thread of `rapsim eval`: detects on the photographs it is sent, one at a time. */
import { parentPort, workerData } from "node:worker_threads";
import { RapError } from "../isa/errors.ts";
import { createDetector, type DetectorParts, type PhotoOutcome, type PhotoTask } from "./eval-detector.ts";

/** refused: what the user can mend; nothing more can be done. */
export type WorkerReply = PhotoOutcome | { readonly kind: "refused"; readonly message: string };

if (parentPort !== null) {
  const port = parentPort;
  const detect = createDetector(workerData as DetectorParts);
  const reply = (message: WorkerReply) => port.postMessage(message);
  port.on("message", (task: PhotoTask) => {
    detect(task).then(reply, (error: unknown) => {
      if (error instanceof RapError) return reply({ kind: "refused", message: error.message });
      // ends the thread; the error reaches the other side
      setImmediate(() => {
        throw error;
      });
    });
  });
}
