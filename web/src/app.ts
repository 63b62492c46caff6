// The app: what is held of the service, the page before the reader, drawn at most once a frame.

import { adviceOf } from "./advice.ts";
import { browserWorld as world, liveUrl, memory } from "./browser.ts";
import { deskDoings } from "./deskdoings.ts";
import type { Doing } from "./doing.ts";
import type { Who } from "./door.ts";
import { byId, el, setAttribute, setText } from "./dom.ts";
import { Drawing, onLetters } from "./drawing.ts";
import { criticalUntaken, shelved } from "./fold.ts";
import { Header } from "./header.ts";
import { Holding } from "./holding.ts";
import { getJson, sendJson } from "./http.ts";
import { Keys } from "./keys.ts";
import { openKiosk } from "./kiosk.ts";
import type { Link, Occurrence } from "./live.ts";
import * as model from "./model.ts";
import { Officer } from "./officer.ts";
import { Overlay } from "./overlay.ts";
import type { App, Page } from "./page.ts";
import { type Rewind, rewindOf, searchWith } from "./rewind.ts";
import { RewindBar } from "./rewindbar.ts";
import { menuOf, PAGES, routeOf } from "./routes.ts";
import type { Meaning } from "./shortcuts.ts";
import { pathOf } from "./shortcutpaths.ts";
import { Sound } from "./sound.ts";
import { alertSentence } from "./telling.ts";
import { flipTheme, recallTheme } from "./theme.ts";
import type { Moment } from "./view.ts";
import { openMark, Wall } from "./wall.ts";
import { type Language, word } from "./words.ts";

const TICK_MS = 1000;
const TOAST_MS = 4000;
const SIGN_IN_MS = 15_000;
const NOT_AUTHORISED = 4401;
const TOO_MANY = 4429;
const HOUR_MS = 3_600_000;

export class Screen implements App {
  /** What was chosen here; a browser that keeps nothing forgets it with the page. */
  private spoken: string | null = memory.language.read();
  private link: Link = { phase: "connecting" };
  private gone_ms: number | null = world.now();
  private wasLive = false;
  private expected = false;
  private whenLive: (() => void)[] = [];
  private turn = 0;
  /** The officer whom this screen has shown last. */
  private known = "";
  private askedAgain = false;

  readonly held = new Holding(
    world,
    {
      link: (link) => this.tellLink(link),
      changed: () => this.schedule(),
      occurred: (occurrence) => this.announce(occurrence),
      outdated: () => location.reload(),
    },
    (configured) => liveUrl(configured, location),
    pastInAddress(),
  );
  private readonly drawing = new Drawing(() => this.render());
  private readonly header = new Header();
  private readonly overlay = new Overlay({
    retry: () => this.retry(),
    asViewer: () => void this.signOut(),
    signIn: () => this.officer.askSignIn(),
  });
  private readonly officer = new Officer({
    language: () => this.language,
    role: () => this.held.client?.role ?? "",
    name: () => this.held.door.who.name,
    signIn: (name, password) => this.signIn(name, password),
    toast: (text) => this.toast(text),
  });
  private readonly wall = new Wall(this);
  private readonly sound = new Sound(() => this.schedule());
  private readonly keys = new Keys((meaning) => this.obey(meaning));
  private readonly rewindBar = new RewindBar({
    show: (wish) => this.rewind(wish),
    present: () => location.assign(location.pathname + searchWith(location.search, null)),
  });
  private page: Page = this.wall;

  constructor() {
    for (const code of ["vi", "en"] as const) {
      byId(`lang-${code}`).addEventListener("click", () => this.speak(code));
    }
    byId("theme").addEventListener("click", () => {
      flipTheme();
      this.restyled();
    });
    byId("sign").addEventListener("click", () =>
      this.held.door.signedIn ? void this.signOut() : this.officer.askSignIn(),
    );
    byId("desk").addEventListener("click", () => void this.openDesk());
    byId("rewind-open").addEventListener("click", () =>
      this.rewind({ at_ms: this.held.now_ms() - HOUR_MS, speed: 1 }),
    );
    byId("keys-help").addEventListener("click", () => this.keys.help(this.language));
    addEventListener("online", () => this.retry());
    addEventListener("popstate", () => void this.open());
    document.addEventListener("click", (event) => this.follow(event));
    onLetters(() => {
      this.restyled();
      this.drawing.came("letters");
    });
    recallTheme();
    openKiosk({
      go: (path) => this.go(path),
      held: () => criticalUntaken(this.held.folded),
      reload: () => location.reload(),
    });
    setInterval(() => {
      this.held.poll();
      this.schedule();
    }, TICK_MS);
    void this.open();
    void this.held.boot();
    if (rewindOf(location.search) === "bad") this.toast(word("rewind_bad", this.language));
  }

  /** What was chosen here, else what the service is set to. */
  get language(): Language {
    return (this.spoken ?? this.held.about["language"]) === "en" ? "en" : "vi";
  }

  moment(): Moment {
    return { language: this.language, now_ms: this.held.now_ms() };
  }

  // --- pages --------------------------------------------------------------------------------

  go(path: string): void {
    // What the address asks of the screen itself (kiosk, rewind) goes along.
    const [name = "", ...hash] = path.split("#");
    const address = [name + location.search, ...hash].join("#");
    if (path !== location.pathname) history.pushState(null, "", address);
    void this.open();
  }

  /** Show the past, from a moment on; the address tells which, to be passed on. */
  private rewind(wish: Rewind): void {
    this.expected = true;
    const search = searchWith(location.search, wish);
    history.replaceState(null, "", location.pathname + search + location.hash);
    this.held.rewind(wish);
    this.page.renewed?.();
    this.schedule();
  }

  /** That moment can't be shown: on with the present. */
  private notShown(code: number): void {
    this.held.past = null;
    history.replaceState(null, "", location.pathname + searchWith(location.search, null));
    this.toast(word(code === TOO_MANY ? "rewind_full" : "rewind_ahead", this.language));
    this.goOn();
  }

  /** A click on a link to a page of ours moves there without loading everything anew. */
  private follow(event: MouseEvent): void {
    const link = (event.target as Element).closest?.("a[href^='/']");
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    const path = link?.getAttribute("href") ?? "";
    if (!plain || event.defaultPrevented || link?.hasAttribute("download")) return;
    if (link === null || link.hasAttribute("target")) return;
    if (routeOf(path.split("#")[0] ?? "") === null) return;
    event.preventDefault();
    this.go(path);
  }

  /** What a key asks of the screen, or of the page before the reader. */
  private obey(meaning: Meaning): boolean {
    if (meaning.kind === "help") this.keys.help(this.language);
    else if (meaning.kind === "silence") this.sound.toggle();
    else if (meaning.kind === "page") return this.page.key?.(meaning.key) ?? false;
    else if (meaning.kind === "go") {
      const path = pathOf(meaning.place, this.wall.station, this.held.stations);
      if (path === null || routeOf(path) === null) return false;
      this.go(path);
    } else if (meaning.kind === "back") {
      if (this.page !== this.wall) this.go("/");
      else (document.activeElement as HTMLElement | null)?.blur();
    }
    return true;
  }

  /** Open the page that the address names. */
  private async open(): Promise<void> {
    const turn = ++this.turn;
    const route = routeOf(location.pathname);
    const load = route === null ? undefined : PAGES[route.name];
    const module = load === undefined ? null : await load().catch(() => null);
    if (turn !== this.turn) return; // moved on while the page was on its way
    this.page.close();
    const root = byId("page");
    root.replaceChildren();
    if (route !== null && load !== undefined && module === null) {
      root.append(el("p", { class: "notice", role: "alert" }, word("page_lost", this.language)));
    }
    const onWall = route === null || module === null;
    this.page = onWall ? this.wall : module.open(root, this, route.subject);
    byId("wall").hidden = load !== undefined;
    root.hidden = load === undefined;
    setAttribute(document.body, "data-page", route?.name || "wall");
    scrollTo(0, 0);
    if (!onWall) root.focus();
    this.schedule();
  }

  private restyled(): void {
    this.page.restyled?.();
    this.schedule();
  }

  // --- news ---------------------------------------------------------------------------------

  private tellLink(link: Link): void {
    this.link = link;
    if (link.phase !== "connecting") this.drawing.came("link");
    if (link.phase === "live") {
      if (this.wasLive) this.page.renewed?.();
      this.wasLive = true;
      this.gone_ms = null;
      this.expected = false;
      this.askedAgain = false;
      this.tellWho();
      for (const act of this.whenLive.splice(0)) act();
    } else {
      this.gone_ms ??= world.now();
      if (link.phase === "stopped" && link.code === NOT_AUTHORISED) this.shutOut();
      else if (link.phase === "stopped" && this.held.past !== null) this.notShown(link.code);
    }
    this.schedule();
  }

  /** Who was signed in and is no longer must know it: the buttons are gone. */
  private tellWho(): void {
    const { name } = this.held.door.who;
    if (this.known !== "" && name === "") this.toast(word("session_over", this.language));
    this.known = name;
  }

  private announce({ type, alert: raw }: Occurrence): void {
    const again = type === "escalated" || type === "reminded";
    if (type !== "raised" && !again) return;
    const alert = model.alert(raw);
    if (alert.test || shelved(alert) || alert.suppressed !== null) return;
    if (this.held.past !== null) return; // what was raised then calls nobody now
    const text = alertSentence(alert, this.held.station(alert.station), this.moment());
    this.sound.alarm.hear(alert.severity, world.now());
    setText(byId("announce"), word(again ? "still_open" : "new_alert", this.language, { text }));
  }

  // --- doings -------------------------------------------------------------------------------

  offer(doings: readonly Doing[], chosen?: Doing): void {
    this.officer.offer(doings, chosen);
  }

  private async openDesk(): Promise<void> {
    // What stands now, so that an officer changes what he sees; else what was last heard of it.
    const path = "/api/v1/desk";
    const entered = await getJson(path).catch(() => this.held.desk.answer);
    const { stations, advice } = this.held;
    const known = { stations, entered: entered ?? {}, intakes: adviceOf(advice.answer) };
    const doings = deskDoings(known, this.moment(), {
      send: async (method, path, body) => {
        const answer = await sendJson(method, path, body);
        this.held.lookAgain();
        return answer;
      },
    });
    this.officer.offer(doings);
  }

  private speak(language: Language): void {
    memory.language.write(language);
    this.spoken = language;
    this.schedule();
  }

  private retry(): void {
    if (this.link.phase === "stopped") location.reload();
    else this.held.retry();
  }

  private async signIn(name: string, password: string): Promise<Who> {
    const who = await this.held.door.signIn(name, password);
    this.known = who.name;
    await new Promise<void>((resolve, reject) => {
      const cancel = world.after(SIGN_IN_MS, () => reject(new Error("no link")));
      this.whenLive.push(() => (cancel(), resolve()));
      this.goOn();
    });
    return who;
  }

  private async signOut(): Promise<void> {
    try {
      await this.held.door.signOut();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return this.toast(word("sign_out_failed", this.language, { why }));
    }
    this.known = "";
    if (this.held.about["anonymous"] === "none") return location.reload(); // with all it showed
    this.toast(word("signed_out", this.language));
    this.goOn();
  }

  private goOn(): void {
    this.expected = true;
    this.held.goOn();
  }

  /** The door was shut: our session is over, or nobody may look without one. */
  private shutOut(): void {
    if (this.held.door.signedIn && !this.askedAgain) {
      this.askedAgain = true;
      return this.goOn(); // as whoever we are now
    }
    if (this.wasLive && !this.officer.filling) return location.reload(); // not for everybody
    this.officer.askSignIn(word("sign_in_needed", this.language));
  }

  toast(text: string): void {
    const toast = byId("toast");
    setText(toast, text);
    toast.hidden = false;
    setTimeout(() => (toast.hidden = true), TOAST_MS);
  }

  // --- drawing ------------------------------------------------------------------------------

  schedule(): void {
    this.drawing.schedule();
  }

  private render(): void {
    const { held } = this;
    held.takeNews();
    const at = this.moment();
    const { client, stations, byStation } = held;
    setAttribute(document.documentElement, "lang", this.language);
    const past_mark = held.past === null ? "" : `${word("rewind_page", this.language)} · `;
    document.title = past_mark + openMark(held.folded) + this.page.title();
    const head = {
      link: this.link,
      delay_ms: client?.clock.delay_ms ?? null,
      clockKnown: client?.clock.at(0) != null,
      demo: held.about["demo"] === true,
      role: client?.role ?? "",
      name: client?.name ?? "",
      rewind: held.past === null ? null : (client?.speed ?? 1),
    };
    this.header.update(head, stations, byStation, at);
    this.drawMenu();
    this.overlay.update(this.linkView(), held.door.signedIn, world.now(), this.language);
    const { past } = held;
    const source = client?.source ?? null;
    this.rewindBar.update(past && { wish: past, source, speed: client?.speed ?? 1 }, at);
    const believable = past === null && this.link.phase === "live" && held.whole;
    this.sound.update(believable && criticalUntaken(held.folded), this.language);
    if (stations.length > 0) this.page.update(at);
  }

  private drawMenu(): void {
    const menu = byId("menu");
    const entries = menuOf(this.held.door.who.role);
    if (menu.childElementCount !== entries.length) {
      menu.replaceChildren(...entries.map(({ path }) => el("a", { href: path })));
    }
    entries.forEach(({ path, word: name }, i) => {
      const link = menu.children[i] as HTMLElement;
      setText(link, word(name, this.language));
      setAttribute(link, "aria-current", path === location.pathname ? "page" : null);
    });
  }

  private linkView() {
    const { client } = this.held;
    const heard_ms = client?.lastHeard_ms ?? null;
    return {
      link: this.link,
      gone_ms: this.gone_ms,
      lastWord_ms: heard_ms === null ? null : (client?.clock.at(heard_ms) ?? null),
      serviceNow_ms: client?.clock.at(world.now()) ?? null,
      expected: this.expected,
    };
  }
}

function pastInAddress(): Rewind | null {
  const asked = rewindOf(location.search);
  return asked === "bad" ? null : asked;
}
