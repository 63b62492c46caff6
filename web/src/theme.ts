// Dark on the wall, light by choice; remembered.

import { memory } from "./browser.ts";

export function recallTheme(): void {
  if (memory.theme.read() === "light") show("light");
}

export function flipTheme(): void {
  const next = document.documentElement.dataset["theme"] === "light" ? "dark" : "light";
  show(next);
  memory.theme.write(next);
}

function show(name: "light" | "dark"): void {
  document.documentElement.dataset["theme"] = name;
}
