// When the screen is drawn: at most once a frame, and not before there is something to be seen.

/** For so long what has not come yet is waited for; mostly it is there in a fifth of it. */
const PATIENCE_MS = 800;

/** What would be drawn anew as soon as it comes. */
export type Awaited = "link" | "letters";

export class Drawing {
  private readonly awaited = new Set<Awaited>(["link", "letters"]);
  private scheduled = false;

  constructor(private readonly draw: () => void) {
    setTimeout(() => this.begin(), PATIENCE_MS);
  }

  /** This need not be waited for any longer. */
  came(what: Awaited): void {
    this.awaited.delete(what);
    this.schedule();
  }

  /** Draw soon: something that is shown is another. */
  schedule(): void {
    if (this.scheduled || this.awaited.size > 0) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  private begin(): void {
    this.awaited.clear();
    this.schedule();
  }
}

/** Once the faces of the letters are there, and whenever more of them have come. */
export function onLetters(act: () => void): void {
  const faces = [400, 600].map((weight) => `${weight} 1rem "Be Vietnam Pro"`);
  void Promise.allSettled(faces.map((face) => document.fonts.load(face, "aạ"))).then(act);
  document.fonts.addEventListener("loadingdone", act);
}
