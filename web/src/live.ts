// What the gateway knows at this moment, kept current by its events. The connection is made again for
// as long as the page is open, and says so.

import type { ReactiveController, ReactiveControllerHost } from "lit";

import { api, ApiError } from "./api.js";
import type { Attempt, Meter, Status } from "./types.js";

export type Connection = "connecting" | "live" | "lost";

const SHORTEST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;

/** Announces `change`, and `poll`, `align` and `align_ended` with what came. */
class Live extends EventTarget {
  status: Status | null = null;
  meters: Meter[] = [];
  /** Whether the first answers are here. */
  loaded = false;
  connection: Connection = "connecting";
  /** When the connection is tried again, by the browser's clock. */
  retryAt = 0;

  #source: EventSource | null = null;
  #pause = SHORTEST_PAUSE;
  #timer = 0;
  #skew = 0;

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
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource("api/events");
    this.#source = source;
    source.onopen = () => void this.#refresh(source);
    source.onerror = () => void this.#lost(source);
    const on = <T>(name: string, take: (data: T) => void): void =>
      source.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data) as T));
    on<Meter>("meter", (meter) => this.#put(meter));
    on<{ slot: string }>("removed", ({ slot }) => {
      this.meters = this.meters.filter((meter) => meter.slot !== slot);
      this.#changed();
    });
    on<Status>("status", (status) => this.#take(status));
    for (const name of ["poll", "align", "align_ended"]) {
      on(name, (detail) => this.dispatchEvent(new CustomEvent(name, { detail })));
    }
  }

  disconnect(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  /** Asks for everything again, as after a change of the configuration. */
  async reload(): Promise<void> {
    const [status, meters] = await Promise.all([api.status(), api.meters()]);
    this.meters = meters;
    this.loaded = true;
    this.#take(status);
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
    this.#changed();
  }

  async #lost(source: EventSource): Promise<void> {
    if (source !== this.#source) return;
    source.close();
    this.#source = null;
    try {
      // A stream does not say why it was refused.
      await api.status();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return;
    }
    this.connection = "lost";
    this.retryAt = Date.now() + this.#pause;
    this.#timer = setTimeout(() => this.connect(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    this.#changed();
  }

  #put(meter: Meter): void {
    const others = this.meters.filter((other) => other.slot !== meter.slot);
    const place = this.meters.findIndex((other) => other.slot === meter.slot);
    others.splice(place < 0 ? others.length : place, 0, meter);
    this.meters = others;
    this.#changed();
  }

  #take(status: Status): void {
    this.status = status;
    this.#skew = Date.parse(status.time) - Date.now();
    this.#changed();
  }

  #changed(): void {
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
