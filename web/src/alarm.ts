// When the wall sounds, and as what; no DOM and no audio.

export type Tone = "critical" | "major" | "warning";

/** One note of a tone: its pitch, Hz, and when it sounds, s. */
export interface Note {
  hz: number;
  start_s: number;
  length_s: number;
}

/**
 * Told apart by rhythm and by pitch, so that who hears one pitch badly has the other: critical is
 * three rising pairs, major two notes, warning one soft one. (Expert judgement, unverified; that
 * severities differ in sound is IEC 60601-1-8's and EEMUA 191's.)
 */
export const TONES: Readonly<Record<Tone, readonly Note[]>> = {
  critical: [0, 0.45, 0.9].flatMap((start_s) => [
    { hz: 784, start_s, length_s: 0.16 },
    { hz: 1047, start_s: start_s + 0.18, length_s: 0.2 },
  ]),
  major: [
    { hz: 659, start_s: 0, length_s: 0.25 },
    { hz: 523, start_s: 0.3, length_s: 0.35 },
  ],
  warning: [{ hz: 440, start_s: 0, length_s: 0.4 }],
};

export const REPEAT_MS = 30_000;
/** The sound can be silenced for so long, and never for good. */
export const SILENCE_MS = 10 * 60_000;

export class Alarm {
  private sounded_ms = -Infinity;
  private silent_ms = -Infinity;

  /** `play` tells whether it could be heard. */
  constructor(private readonly play: (tone: Tone) => boolean) {}

  /** An alert was raised, or reminded of; notices make no sound. Monotonic ms, as all here. */
  hear(severity: string, now_ms: number): void {
    if (severity in TONES) this.sound(severity as Tone, now_ms);
  }

  /** Once a second: while nobody has taken a critical alert it is heard again and again. */
  tick(criticalUntaken: boolean, now_ms: number): void {
    if (criticalUntaken && now_ms - this.sounded_ms >= REPEAT_MS) this.sound("critical", now_ms);
  }

  silence(now_ms: number): void {
    this.silent_ms = now_ms + SILENCE_MS;
  }

  speak(): void {
    this.silent_ms = -Infinity;
  }

  /** How long it is still silenced, ms; 0 where it is not. */
  silentFor_ms(now_ms: number): number {
    return Math.max(0, this.silent_ms - now_ms);
  }

  private sound(tone: Tone, now_ms: number): void {
    if (this.silentFor_ms(now_ms) > 0) return;
    // What could not be heard was not sounded: it is tried again with the next second.
    if (this.play(tone) && tone === "critical") this.sounded_ms = now_ms;
  }
}
