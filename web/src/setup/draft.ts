// Changes to the configuration that are not written yet.

import { api } from "../api.js";
import type { Change, Config, ConfigValues, Draft, Settings } from "../types.js";

/** Keys whose values nobody looking over a shoulder should read. */
const SECRET =
  /^(\s*[-+ ]?\s*)([\w.-]*(?:password|token|secret|authorization)[\w.-]*)(\s*=\s*)(?!.*_file)(.+)$/i;
const IN_ADDRESS = /(\/\/[^\s/:@"']+:)[^\s@"']+(@)/g;

/** A text of the configuration for showing: secrets are dots. Names of files with secrets are none. */
export const masked = (toml: string): string =>
  toml
    .split("\n")
    .map((line) => {
      const found = SECRET.exec(line);
      const hidden =
        found && !/_file$/i.test(found[2] ?? "") ? `${found[1]}${found[2]}${found[3]}"••••"` : line;
      return hidden.replace(IN_ADDRESS, "$1••••$2");
    })
    .join("\n");

export class ConfigDraft {
  changes: Change[] = [];
  draft: Draft | null = null;

  constructor(public config: Config) {}

  /** The configuration as it would be. */
  get values(): ConfigValues {
    const values = structuredClone(this.config.values ?? {});
    for (const change of this.changes) apply(values, change);
    return values;
  }

  get meters(): Settings[] {
    return this.values.meter ?? [];
  }

  /** Adds changes if the gateway can make them, and says what comes of them. */
  async add(...changes: Change[]): Promise<Draft> {
    const all = [...this.changes, ...changes];
    const draft = await api.draft(all);
    this.changes = all;
    this.draft = draft;
    return draft;
  }

  discard(): void {
    this.changes = [];
    this.draft = null;
  }

  /** Puts the changes on the file as it is now. */
  async renew(): Promise<void> {
    this.config = await api.config();
    if (this.changes.length > 0) this.draft = await api.draft(this.changes);
  }

  async save(): Promise<void> {
    if (!this.draft) return;
    await api.save(this.draft.toml, this.config.etag);
    this.discard();
  }
}

/** The changes that make the settings at a place what was entered; what was emptied is removed. */
export function changesTo(path: (string | number)[], before: Settings, after: Settings): Change[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key): Change[] => {
    const [was, is] = [before[key], after[key]];
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    if (is === undefined) return [{ op: "remove", path: [...path, key] }];
    return [{ op: "set", path: [...path, key], value: is }];
  });
}

function apply(values: Record<string, unknown>, { op, path, value }: Change): void {
  const last = path.at(-1);
  if (last === undefined) return;
  let place: Record<string | number, unknown> = values;
  for (const step of path.slice(0, -1)) {
    place[step] ??= {};
    place = place[step] as Record<string | number, unknown>;
  }
  if (op === "set") place[last] = value;
  else if (op === "add") place[last] = [...((place[last] as unknown[] | undefined) ?? []), value];
  else if (Array.isArray(place)) place.splice(Number(last), 1);
  else delete place[last];
}
