// A file that is made here, for the reader to keep.

import { el } from "./dom.ts";

const KEPT_MS = 10_000;

export function save(file: Blob, name: string): void {
  const link = el("a", { href: URL.createObjectURL(file), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
