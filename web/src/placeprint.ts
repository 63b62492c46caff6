// On paper pictures are drawn light, whatever the screen is: a canvas does not follow the style sheets.

/** Draw anew for paper and back again; the answer ends it. */
export function onPaperToo(restyle: () => void): () => void {
  const root = document.documentElement;
  let theme: string | null = null;
  const before = (): void => {
    theme = root.getAttribute("data-theme");
    root.setAttribute("data-theme", "light");
    restyle();
  };
  const after = (): void => {
    if (theme !== null) root.setAttribute("data-theme", theme);
    restyle();
  };
  addEventListener("beforeprint", before);
  addEventListener("afterprint", after);
  return () => {
    removeEventListener("beforeprint", before);
    removeEventListener("afterprint", after);
  };
}
