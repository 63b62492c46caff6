// The sound of alerts: oscillators, no file; a button that silences it for ten minutes, and says
// plainly where the browser lets nothing be heard before somebody has touched the page.

import { Alarm, type Tone, TONES } from "./alarm.ts";
import { byId, setAttribute, setText } from "./dom.ts";
import { type Language, word } from "./words.ts";

const LOUD = 0.22;
const SOFT_S = 0.02;
/** Who carries a telephone is no wall: its pages stay silent. */
const SILENT_SCREENS = "(max-width: 899px)";

export class Sound {
  readonly alarm = new Alarm((tone) => this.play(tone));
  private readonly button = byId("sound");
  private readonly phone = matchMedia(SILENT_SCREENS);
  private audio: AudioContext | null = null;
  private opened = false;

  constructor(private readonly changed: () => void) {
    this.button.addEventListener("click", () => this.toggle());
    // A touch of any kind is what browsers wait for.
    const wake = (): void => void this.wake();
    for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, wake);
  }

  /** The browser looks for loudspeakers meanwhile, and no figure waits for them. */
  private open(): void {
    if (this.phone.matches || !("AudioContext" in window)) return;
    this.audio = new AudioContext();
    this.audio.addEventListener("statechange", () => this.changed());
    this.changed();
  }

  /** Silence for ten minutes; what is silenced is heard again. */
  toggle(): void {
    const now_ms = performance.now();
    if (this.blocked) void this.wake();
    else if (this.alarm.silentFor_ms(now_ms) > 0) this.alarm.speak();
    else this.alarm.silence(now_ms);
    this.changed();
  }

  /** Once a second; `criticalUntaken` is of a believable picture alone. */
  update(criticalUntaken: boolean, language: Language): void {
    const now_ms = performance.now();
    if (!this.opened) setTimeout(() => this.open());
    this.opened = true;
    if (this.audio !== null) this.alarm.tick(criticalUntaken, now_ms);
    const silent_ms = this.alarm.silentFor_ms(now_ms);
    const left_s = Math.ceil(silent_ms / 1000);
    const time = `${Math.floor(left_s / 60)}:${String(left_s % 60).padStart(2, "0")}`;
    const kind = this.blocked ? "blocked" : silent_ms > 0 ? "silent" : "on";
    this.button.hidden = this.audio === null;
    setAttribute(this.button, "class", `sound sound-${kind}`);
    setText(this.button, word(`sound_${kind}`, language, { time }));
    setAttribute(this.button, "title", word(`sound_${kind}_title`, language));
  }

  /** Nothing can be heard until somebody touches the page. */
  private get blocked(): boolean {
    return this.audio !== null && this.audio.state !== "running";
  }

  private async wake(): Promise<void> {
    if (this.audio?.state !== "suspended") return;
    await this.audio.resume().catch((error: unknown) => console.warn("no sound", error));
    this.changed();
  }

  private play(tone: Tone): boolean {
    const { audio } = this;
    if (audio === null || this.blocked) return false;
    for (const { hz, start_s, length_s } of TONES[tone]) {
      const from = audio.currentTime + 0.05 + start_s;
      const oscillator = new OscillatorNode(audio, { frequency: hz, type: "triangle" });
      const gain = new GainNode(audio, { gain: 0 });
      // Edges that are not hard: a click is heard as a fault.
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(LOUD, from + SOFT_S);
      gain.gain.setValueAtTime(LOUD, from + length_s - SOFT_S);
      gain.gain.linearRampToValueAtTime(0, from + length_s);
      oscillator.connect(gain).connect(audio.destination);
      oscillator.start(from);
      oscillator.stop(from + length_s + SOFT_S);
    }
    return true;
  }
}
