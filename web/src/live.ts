// What the gateway knows at this moment, kept current by its events. The connection is made again for
// as long as the page is open, and says so.

import type { ReactiveController, ReactiveControllerHost } from "lit";

import { api } from "./api.js";
import { calendar } from "./time.js";
import type { Attempt, Meter, Status } from "./types.js";

export type Connection = "connecting" | "live" | "lost";

const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;
/** The gateway says something at least every 15 seconds; a line that is cut ends without a word. */
const LONGEST_SILENCE = 40_000;
const LOOK = 2000;

/** Announces `change`, and `poll`, `align` and `align_ended` with what came. */
class Live extends EventTarget {
  status: Status | null = null;
  meters: Meter[] = [];
  /** Whether the first answers are here. */
  loaded = false;
  connection: Connection = "connecting";
  /** When the connection is tried again, by the browser's clock. */
  retryAt = 0;
  /** Whether the gateway is another version than the one that this page came from. */
  updated = false;

  #source: EventSource | null = null;
  #pause = SHORTEST_PAUSE;
  #timer = 0;
  #looking = 0;
  #skew = 0;
  /** When the stream last said something, by the browser's clock. */
  #heardAt = 0;
  /** Counts what the stream said, and holds for each slot when that was about it. */
  #count = 0;
  #heard = new Map<string, number>();
  /** Whether something may have happened unheard. */
  #missed = false;
  #day = 0;

  /** The gateway's time, whatever the browser's clock says. */
  now(): number {
    return Date.now() + this.#skew;
  }

  meter(id: string | null | undefined): Meter | undefined {
    return this.meters.find((meter) => meter.id === id || meter.slot === id || meter.serial === id);
  }

  /** Whether both name one meter; it is known by its slot until it says its serial number. */
  same(a: string, b: string): boolean {
    const meter = this.meter(a);
    return meter !== undefined && meter === this.meter(b);
  }

  connect(): void {
    this.disconnect();
    const source = new EventSource("api/events");
    this.#source = source;
    this.#heardAt = Date.now();
    this.#looking = setInterval(() => this.look(), LOOK);
    source.onopen = () => void this.#refresh(source);
    source.onerror = () => void this.#lost(source);
    const on = <T>(name: string, take: (data: T) => void): void =>
      source.addEventListener(name, (event) => {
        this.#heardAt = Date.now();
        take(JSON.parse((event as MessageEvent<string>).data) as T);
      });
    on("alive", () => {});
    on<Meter>("meter", (meter) => this.#put(meter));
    on<{ slot: string }>("removed", ({ slot }) => {
      this.#heard.set(slot, (this.#count += 1));
      this.meters = this.meters.filter((meter) => meter.slot !== slot);
      this.changed();
    });
    on<Status>("status", (status) => this.#take(status));
    on<PollEvent>("poll", ({ time }) => {
      // The first one of all begins the history.
      if (this.status) this.status.history.since ??= time;
    });
    for (const name of ["poll", "align", "align_ended"]) {
      on(name, (detail) => this.dispatchEvent(new CustomEvent(name, { detail })));
    }
  }

  disconnect(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#looking);
    this.#source?.close();
    this.#source = null;
    this.#missed = this.loaded;
    if (this.connection === "live") this.connection = "connecting";
  }

  /** Somebody looks again. */
  resume(): void {
    if (this.#source) this.look();
    else this.connect();
  }

  /** Whether it still holds; also after the browser has slept. */
  look(): void {
    if (this.#source && Date.now() - this.#heardAt > LONGEST_SILENCE) void this.#lost(this.#source);
    // What was used today and this month begins again, whether the meter is read or not.
    const { day } = calendar(this.now() / 1000);
    if (this.loaded && this.#day !== day) void this.reload().catch(() => {});
  }

  /** Nothing is known any more: whoever looks now may not be who looked before. */
  forget(): void {
    this.disconnect();
    [this.status, this.meters, this.loaded, this.connection] = [null, [], false, "connecting"];
    this.#missed = false;
    this.#heard.clear();
    this.changed();
  }

  /** Asks for everything again, as after a change of the configuration. */
  async reload(): Promise<void> {
    const began = this.#count;
    this.#day = calendar(this.now() / 1000).day;
    const [status, meters] = await Promise.all([api.status(), api.meters()]);
    // What the stream has said meanwhile is newer.
    const newer = ({ slot }: Meter): boolean => (this.#heard.get(slot) ?? 0) > began;
    const known = new Map(this.meters.filter(newer).map((meter) => [meter.slot, meter]));
    const all = meters.map((meter) => (newer(meter) ? known.get(meter.slot) : meter));
    const added = [...known.values()].filter(({ slot }) => !meters.some((meter) => meter.slot === slot));
    this.meters = [...all.filter((meter) => meter !== undefined), ...added];
    this.loaded = true;
    this.#take(status);
    this.#day = calendar(this.now() / 1000).day;
  }

  async #refresh(source: EventSource): Promise<void> {
    try {
      await this.reload();
    } catch {
      if (source === this.#source) await this.#lost(source);
      return;
    }
    if (source !== this.#source) return;
    this.connection = "live";
    this.#pause = SHORTEST_PAUSE;
    this.changed();
    if (!this.#missed) return;
    this.#missed = false;
    for (const { id, tried_at, verdict } of this.meters) {
      const detail: PollEvent = { id, time: tried_at ?? "", verdict: verdict?.code ?? "" };
      this.dispatchEvent(new CustomEvent("poll", { detail }));
    }
  }

  async #lost(source: EventSource): Promise<void> {
    if (source !== this.#source) return;
    this.disconnect();
    this.connection = "lost";
    this.retryAt = Date.now() + this.#pause;
    this.#timer = setTimeout(() => this.connect(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    // A stream does not say why it was refused: if it is for want of the token, this asks for it.
    const why = api.status().catch(() => {});
    if (!this.loaded) await why;
    this.changed();
  }

  #put(meter: Meter): void {
    this.#heard.set(meter.slot, (this.#count += 1));
    const others = this.meters.filter((other) => other.slot !== meter.slot);
    const place = this.meters.findIndex((other) => other.slot === meter.slot);
    others.splice(place < 0 ? others.length : place, 0, meter);
    this.meters = others;
    this.changed();
  }

  #take(status: Status): void {
    this.updated ||= this.status !== null && this.status.version !== status.version;
    this.status = status;
    this.#skew = Date.parse(status.time) - Date.now();
    this.changed();
  }

  changed(): void {
    this.dispatchEvent(new Event("change"));
  }
}

export const live = new Live();

/** Draws a component again when something changes, and, if asked, as time passes. */
export class Watch implements ReactiveController {
  #timer = 0;
  readonly #update = (): void => this.host.requestUpdate();

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly seconds = 0,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    live.addEventListener("change", this.#update);
    if (this.seconds > 0) this.#timer = setInterval(this.#update, this.seconds * 1000);
  }

  hostDisconnected(): void {
    live.removeEventListener("change", this.#update);
    clearInterval(this.#timer);
  }
}

/** Hears one kind of event for as long as the component is on the page. */
export class Hear<T extends { id: string }> implements ReactiveController {
  readonly #take = (event: Event): void => this.take((event as CustomEvent<T>).detail);

  constructor(
    host: ReactiveControllerHost,
    private readonly name: "poll" | "align" | "align_ended",
    private readonly take: (detail: T) => void,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    live.addEventListener(this.name, this.#take);
  }

  hostDisconnected(): void {
    live.removeEventListener(this.name, this.#take);
  }
}

export type PollEvent = { id: string; time: string; verdict: string };
export type AlignEvent = Attempt;
export type AlignEnded = { id: string; why: string };
