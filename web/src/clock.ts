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
  /** By how much the last word was slower than the fastest of late, ms. */
  delay_ms: number | null = null;

  hear(service_ms: number, local_ms: number): void {
    this.offsets.push(service_ms - local_ms);
    if (this.offsets.length > KEPT) this.offsets.shift();
    this.delay_ms = this.offset() - (service_ms - local_ms);
  }

  /** Forget: after a pause the monotonic clock may have stood still. */
  restart(): void {
    this.offsets = [];
    this.delay_ms = null;
  }

  at(local_ms: number): number | null {
    return this.offsets.length === 0 ? null : local_ms + this.offset();
  }

  private offset(): number {
    return Math.max(...this.offsets);
  }
}
