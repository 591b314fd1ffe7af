/** The sidecar of a model file: the same name with .json. Null for a file that is called so itself. */
export function sidecarOf(path: string): string | null {
  const sidecar = `${path.replace(/\.[^./\\]*$/, "")}.json`;
  return sidecar === path ? null : sidecar;
}
