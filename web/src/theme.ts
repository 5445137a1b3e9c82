// Light or dark: as the system has it, until somebody chooses.

export type Theme = "light" | "dark";

const CHOICE = "heatmeter.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | null {
  try {
    const found = localStorage.getItem(CHOICE);
    return found === "light" || found === "dark" ? found : null;
  } catch {
    return null;
  }
}

export const theme = (): Theme => chosen() ?? (dark.matches ? "dark" : "light");

export function choose(wanted: Theme): void {
  try {
    // What the system says anyway is not held against it when it changes.
    if (wanted === (dark.matches ? "dark" : "light")) localStorage.removeItem(CHOICE);
    else localStorage.setItem(CHOICE, wanted);
  } catch {
    // Then it lasts until the next visit.
  }
  apply(wanted);
}

export function follow(): void {
  apply(theme());
  dark.addEventListener("change", () => apply(theme()));
}

function apply(wanted: Theme): void {
  document.documentElement.dataset["theme"] = wanted;
  document.dispatchEvent(new CustomEvent("theme"));
}

/** A colour of the page as the canvas wants it. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
