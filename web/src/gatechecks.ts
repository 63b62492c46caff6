// Hand checks from the board of gates: the same form as at the station, and what waits on this phone.

import { Memory } from "./browser.ts";
import { el, setText } from "./dom.ts";
import { sendJson } from "./http.ts";
import type { App } from "./page.ts";
import { Unsent } from "./stationchecks.ts";
import { CheckForm } from "./stationform.ts";
import type { Moment } from "./view.ts";
import { word } from "./words.ts";

const OFFICERS: readonly string[] = ["operator", "admin"];

export class GateChecks {
  readonly note = el("p", { class: "unsent", role: "status", "data-testid": "unsent" });
  readonly forms = el("div");
  private readonly unsent: Unsent;
  private form: CheckForm | null = null;
  private readonly online = (): void => void this.flush();

  constructor(private readonly app: App) {
    const memory = new Memory(() => localStorage, "songtien.checks");
    this.unsent = new Unsent(memory, (body) =>
      sendJson("POST", "/api/v1/checks", body),
    );
    addEventListener("online", this.online);
    void this.flush();
  }

  /** The form of this station; who has not signed in finds the way on the station's page. */
  open(station: string): void {
    if (!OFFICERS.includes(this.app.held.client?.role ?? "")) {
      return this.app.go(`/tram/${station}`);
    }
    this.form?.close();
    this.form = new CheckForm(station, {
      language: () => this.app.language,
      now_ms: () => this.app.moment().now_ms,
      enter: async (body) => {
        this.unsent.add(body);
        await this.flush();
      },
    });
    this.forms.replaceChildren(this.form.place);
    this.form.open();
  }

  /** What waits, and what was refused, is mended on the station's page. */
  update({ language }: Moment): void {
    const { waiting } = this.unsent;
    this.note.hidden = waiting.length === 0;
    const refused = waiting.find((one) => one.refused !== "");
    const parts = [word("check_waits", language, { n: waiting.length })];
    if (refused !== undefined) parts.push(word("entry_refused", language, { why: refused.refused }));
    setText(this.note, parts.join(" "));
  }

  close(): void {
    removeEventListener("online", this.online);
    this.form?.close();
  }

  private async flush(): Promise<void> {
    const taken = await this.unsent.flush();
    if (taken > 0) this.app.toast(word("check_sent", this.app.language, { n: taken }));
    this.app.schedule();
  }
}
