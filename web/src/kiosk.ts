// A wall that nobody sits at: no buttons, no pointer, a screen that stays awake and does not burn
// in, pages in turn, and always those of the service as it now is.

import { setAttribute } from "./dom.ts";
import { isAnother, type KioskQuery, kioskOf, SHIFT_MS, shiftAt } from "./kioskquery.ts";

const POINTER_MS = 3000;
const NEWER_MS = 10 * 60_000;

export interface KioskActions {
  go(path: string): void;
  /** Something waits that must be seen: the wall stays. */
  held(): boolean;
  reload(): void;
}

/** Where the address asks for it. */
export function openKiosk(actions: KioskActions): void {
  const query = kioskOf(location.search);
  if (query !== null) new Kiosk(query, actions);
}

class Kiosk {
  private pointer = 0;
  private turn = 0;

  constructor(
    query: KioskQuery,
    private readonly actions: KioskActions,
  ) {
    setAttribute(document.body, "data-kiosk", true);
    document.addEventListener("pointermove", () => this.stir());
    this.stir();
    document.addEventListener("visibilitychange", () => void this.stayAwake());
    void this.stayAwake();
    setInterval(() => this.shift(), SHIFT_MS);
    setInterval(() => void this.lookForNewer(), NEWER_MS);
    if (query.every_s > 0) setInterval(() => this.next(query), query.every_s * 1000);
  }

  /** The pointer is seen while it moves. */
  private stir(): void {
    setAttribute(document.body, "data-idle", null);
    clearTimeout(this.pointer);
    const idle = (): void => setAttribute(document.body, "data-idle", true);
    this.pointer = window.setTimeout(idle, POINTER_MS);
  }

  private async stayAwake(): Promise<void> {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) return;
    try {
      await navigator.wakeLock.request("screen");
    } catch (error) {
      console.warn("the screen may fall asleep: no wake lock", error);
    }
  }

  private shift(): void {
    const [x, y] = shiftAt(performance.now());
    document.body.style.setProperty("--shift", `translate(${x - 1}px, ${y - 1}px)`);
  }

  private next({ pages }: KioskQuery): void {
    this.turn = this.actions.held() ? 0 : (this.turn + 1) % pages.length;
    this.actions.go(this.actions.held() ? "/" : (pages[this.turn] ?? "/"));
  }

  /** Pages may be others though the service says the same version of itself. */
  private async lookForNewer(): Promise<void> {
    try {
      const page = await (await fetch("/", { cache: "no-cache" })).text();
      const own = document.querySelector("script[type='module'][src]")?.getAttribute("src");
      if (isAnother(page, own ?? "")) this.actions.reload();
    } catch (error) {
      console.warn("whether the pages are others could not be asked", error);
    }
  }
}
