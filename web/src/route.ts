// Where on the page we are: it stands behind the #, so that the page works wherever it is served.

export const PLACES = ["home", "history", "align", "line", "setup"] as const;
export type Place = (typeof PLACES)[number];

export interface Route {
  readonly place: Place;
  readonly query: URLSearchParams;
}

export function here(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const place = PLACES.find((place) => place === path) ?? "home";
  return { place, query: new URLSearchParams(query) };
}

export function address(place: Place, query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${place === "home" ? "" : place}${search === "" ? "" : `?${search}`}`;
}

export function go(place: Place, query: Record<string, string> = {}): void {
  location.hash = address(place, query);
}

/** Notes what is shown without a new entry in the browser's history. */
export function note(place: Place, query: Record<string, string>): void {
  history.replaceState(null, "", address(place, query));
}
