// The gateway's HTTP API. Every address is relative to the page, so that it works under any prefix.

import type {
  Amounts,
  Battery,
  By,
  Catalogue,
  Change,
  Config,
  Draft,
  Exchange,
  Meter,
  PortTest,
  Problem,
  SerialPort,
  Series,
  Settings,
  Status,
} from "./types.js";

/** What the gateway says went wrong, or that it does not answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly help: string,
  ) {
    super(message);
  }

  /** Nobody answers: the gateway is down, or the network is. */
  get unreachable(): boolean {
    return this.status === 0;
  }
}

/** Called when the gateway asks for the token. */
export const login = { wanted: (): void => {} };

/** What is only told takes no longer than this; a phone that left the network would wait for minutes. */
const TELL_WITHIN = 30_000;

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`api/${path}`, { cache: "no-store", ...init });
  } catch {
    throw new ApiError(0, "unreachable", "", "");
  }
  if (response.ok) return response;
  if (response.status === 401 && path !== "login") login.wanted();
  const body: unknown = await response.json().catch(() => null);
  const { code, message, help } = (body as { error?: Partial<ApiError> } | null)?.error ?? {};
  throw new ApiError(
    response.status,
    code ?? "unexpected",
    message ?? `${response.status} ${response.statusText}`,
    help ?? "",
  );
}

async function get<T>(path: string, query: Record<string, string | number> = {}): Promise<T> {
  const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
  const response = await ask(search.size > 0 ? `${path}?${search}` : path, {
    signal: AbortSignal.timeout(TELL_WITHIN),
  });
  return (await response.json()) as T;
}

async function send<T>(method: string, path: string, body?: unknown, init: RequestInit = {}): Promise<T> {
  const response = await ask(path, {
    method,
    ...init,
    ...(body === undefined
      ? {}
      : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return (text === "" ? null : JSON.parse(text)) as T;
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
const meter = (id: string): string => `meters/${encodeURIComponent(id)}`;

export const api = {
  status: () => get<Status>("status"),
  meters: () => get<Meter[]>("meters"),
  catalogue: (language: string) => get<Catalogue>("catalogue", { language }),

  history: (id: string, key: string, from: number, to: number, points: number) =>
    get<Series>(`${meter(id)}/history`, { key, from: iso(from), to: iso(to), points }),
  amounts: (id: string, key: string, by: By, from: number, to: number) =>
    get<Amounts>(`${meter(id)}/amounts`, { key, by, from: iso(from), to: iso(to) }),

  read: (id: string, registers?: string[]) =>
    send<unknown>("POST", `${meter(id)}/read`, registers ? { registers } : {}),
  align: (id: string) => send<void>("POST", `${meter(id)}/align`, {}),
  // It has to arrive even if the page is being closed.
  stopAligning: (id: string) => send<void>("DELETE", `${meter(id)}/align`, undefined, { keepalive: true }),
  exchanges: (id: string) => get<Exchange[]>(`${meter(id)}/exchanges`),
  recording: (id: string) => `api/${meter(id)}/recording`,
  cost: (id: string, schedule: string) => get<Battery>(`${meter(id)}/cost`, { schedule }),

  ports: () => get<SerialPort[]>("ports"),
  testPort: (port: string) => send<PortTest>("POST", "ports/test", { port }),
  /** Masked secrets are taken from the file's table of that place. */
  testDestination: (kind: string, settings: Settings, index: number) =>
    send<unknown>("POST", "destinations/test", { kind, settings, index }),

  config: () => get<Config>("config"),
  draft: (changes: Change[], toml?: string) =>
    send<Draft>("POST", "config/draft", toml === undefined ? { changes } : { changes, toml }),
  check: (toml: string) => send<{ ok: boolean; problems: Problem[] }>("POST", "config/check", { toml }),
  save: (toml: string, etag: string) => send<unknown>("PUT", "config", { toml, etag }),

  login: (token: string) => send<unknown>("POST", "login", { token }),
  logout: () => send<unknown>("POST", "logout"),
};
