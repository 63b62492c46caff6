// The service's clock, as far as it can be known here.

const KEPT = 8;

/**
 * Estimates the service's time from the `now` of its frames.
 *
 * A frame can only be late, never early: of the last few, the one with the largest difference
 * travelled fastest and is nearest to the truth. Local time is monotonic, in ms.
 */
export class ServiceClock {
  private offsets: number[] = [];
  /** Where the past is shown: the last word on its time, which goes by `rate`. */
  private anchor: readonly [service_ms: number, local_ms: number] | null = null;
  private rate = 1;
  /** By how much the last word was slower than the fastest of late, ms. */
  delay_ms: number | null = null;

  /** `rate` is how fast the service's time goes: another one where the past is shown. */
  hear(service_ms: number, local_ms: number, rate: number | null = null): void {
    if (rate !== null) {
      this.rate = rate;
      this.anchor = [service_ms, local_ms];
      return;
    }
    this.offsets.push(service_ms - local_ms);
    if (this.offsets.length > KEPT) this.offsets.shift();
    this.delay_ms = this.offset() - (service_ms - local_ms);
  }

  /** Forget: after a pause the monotonic clock may have stood still. */
  restart(): void {
    this.offsets = [];
    this.anchor = null;
    this.delay_ms = null;
  }

  /** The last word on the time of the past that is shown: never ahead of the service. */
  get told_ms(): number | null {
    return this.anchor?.[0] ?? null;
  }

  at(local_ms: number): number | null {
    if (this.anchor !== null) {
      const [service_ms, heard_ms] = this.anchor;
      return service_ms + (local_ms - heard_ms) * this.rate;
    }
    return this.offsets.length === 0 ? null : local_ms + this.offset();
  }

  private offset(): number {
    return Math.max(...this.offsets);
  }
}
