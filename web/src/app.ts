// The frame around the views: where to go, whether the connection holds, language and theme.

import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { customElement, state } from "lit/decorators.js";
import { keyed } from "lit/directives/keyed.js";

import { api, login } from "./api.js";
import { icon } from "./icons.js";
import { live, Watch } from "./live.js";
import { address, here, note, PLACES, type Place, type Route } from "./route.js";
import { shared } from "./styles.js";
import { currentLanguage, LANGUAGES, preferred, remember, speak, t } from "./text.js";
import { choose, theme } from "./theme.js";
import type { Language } from "./types.js";

import "./parts/notice.js";
import "./views/align.js";
import "./views/history.js";
import "./views/home.js";
import "./views/line.js";
import "./views/login.js";
import "./views/setup.js";

/** How long a page may be out of sight and still listen. */
const UNSEEN = 60_000;

@customElement("hm-app")
export class App extends LitElement {
  @state() private route: Route = here();
  @state() private ready = false;
  @state() private locked = false;
  /** Counts the changes of language: every word is drawn again. */
  @state() private voice = 0;

  readonly watch = new Watch(this, 1);

  #unseen = 0;

  readonly #moved = (): void => {
    const before = this.route.place;
    this.route = here();
    if (before !== this.route.place) void this.#arrive();
  };

  static override styles = [
    shared,
    css`
      header {
        position: sticky;
        top: 0;
        z-index: 5;
        background: var(--page);
        border-bottom: 1px solid var(--line);
      }
      .bar {
        max-width: 76rem;
        margin: auto;
        padding: 0.5rem clamp(0.9rem, 3vw, 2rem);
        display: flex;
        gap: 0.5rem 1.25rem;
        align-items: center;
      }
      .brand {
        display: flex;
        gap: 0.6rem;
        align-items: center;
        font-weight: 680;
        font-size: 1.1rem;
        letter-spacing: -0.02em;
        color: var(--text);
        text-decoration: none;
      }
      nav {
        display: flex;
        gap: 0.25rem;
        flex: 1;
      }
      nav a {
        display: flex;
        gap: 0.45rem;
        align-items: center;
        padding: 0.5rem 0.8rem;
        border-radius: 10px;
        color: var(--quiet);
        text-decoration: none;
        font-weight: 550;
        font-size: 0.95rem;
      }
      nav a:hover {
        color: var(--text);
        background: var(--raised);
      }
      nav a[aria-current] {
        color: var(--accent);
        background: var(--accent-soft);
      }
      .connection {
        display: flex;
        gap: 0.45rem;
        align-items: center;
        font-size: 0.85rem;
        color: var(--quiet);
        white-space: nowrap;
      }
      .dot {
        width: 0.6rem;
        height: 0.6rem;
        border-radius: 50%;
        background: var(--past);
        flex: none;
      }
      .dot.live {
        background: var(--good);
      }
      .dot.lost {
        background: var(--bad);
      }
      main {
        max-width: 76rem;
        margin: auto;
        padding: clamp(1rem, 3vw, 2rem) clamp(0.9rem, 3vw, 2rem) 2rem;
        outline: none;
      }
      main:focus-visible {
        outline: none;
      }
      footer {
        max-width: 76rem;
        margin: auto;
        padding: 0.5rem clamp(0.9rem, 3vw, 2rem) 2rem;
      }
      footer select {
        width: auto;
        min-height: 2.25rem;
        padding-block: 0.1rem;
      }
      .skip {
        position: absolute;
        left: 0.5rem;
        top: -4rem;
        z-index: 9;
      }
      .skip:focus {
        top: 0.5rem;
      }
      @media (max-width: 50rem) {
        .connection {
          margin-left: auto;
        }
        nav {
          position: fixed;
          inset: auto 0 0;
          background: var(--surface);
          border-top: 1px solid var(--line);
          padding: 0.3rem 0.3rem calc(0.3rem + env(safe-area-inset-bottom));
          justify-content: space-around;
          z-index: 6;
        }
        nav a {
          flex: 1;
          flex-direction: column;
          gap: 0.1rem;
          font-size: 0.72rem;
          padding: 0.35rem 0.2rem;
          min-width: 0;
        }
        main {
          padding-bottom: 1rem;
        }
        footer {
          padding-bottom: 5.5rem;
        }
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    login.wanted = () => {
      live.forget();
      this.locked = true;
    };
    addEventListener("hashchange", this.#moved);
    addEventListener("pagehide", () => live.disconnect());
    document.addEventListener("visibilitychange", () => this.#seen());
    addEventListener("pageshow", (event) => event.persisted && live.connect());
    live.addEventListener("change", this.#welcome);
    document.addEventListener("theme", () => this.requestUpdate());
    void this.#begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("hashchange", this.#moved);
    live.disconnect();
  }

  async #begin(): Promise<void> {
    const wanted = preferred();
    await speak(wanted ?? "en");
    this.ready = true;
    this.#title();
    if (!this.locked) live.connect();
    if (wanted !== null) return;
    // The browser speaks none of ours: the gateway's is the next best.
    const ask = (): void => {
      if (!live.status) return;
      live.removeEventListener("change", ask);
      void this.#speak(live.status.language);
    };
    live.addEventListener("change", ask);
  }

  /** Browsers keep few connections to one place: a page that nobody sees gives its own back. */
  #seen(): void {
    clearTimeout(this.#unseen);
    if (document.visibilityState === "hidden") {
      this.#unseen = setTimeout(() => live.disconnect(), UNSEEN);
    } else if (this.ready && !this.locked) {
      live.resume();
    }
  }

  /** The first start has nothing to show yet. */
  readonly #welcome = (): void => {
    if (!live.loaded) return;
    live.removeEventListener("change", this.#welcome);
    if (live.status?.configured === false && this.route.place === "home") {
      note("setup", {});
      this.#moved();
    }
  };

  async #speak(language: Language): Promise<void> {
    await speak(language);
    // Everything is made again; the address has what was looked at.
    this.route = here();
    this.voice += 1;
    this.#title();
  }

  #title(): void {
    const name = t(`nav.${this.route.place}`);
    document.title = this.route.place === "home" ? "heatmeter" : `${name} · heatmeter`;
  }

  /** Whoever cannot see that the view has changed is put at its beginning. */
  async #arrive(): Promise<void> {
    this.#title();
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>("main")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  override render(): TemplateResult | typeof nothing {
    if (!this.ready) return nothing;
    if (this.locked) {
      return html`<main>
        <hm-login
          @open=${() => {
            this.locked = false;
            void this.#speak(currentLanguage());
            live.connect();
          }}
        ></hm-login>
      </main>`;
    }
    const dark = theme() === "dark";
    return html`${keyed(
      this.voice,
      html`
        <button class="skip" @click=${() => this.renderRoot.querySelector("main")?.focus()}>
          ${t("nav.skip")}
        </button>
        <header>
          <div class="bar">
            <a class="brand" href=${address("home")}>
              <img src="icon.svg" width="28" height="28" alt="" />heatmeter
            </a>
            <nav aria-label=${t("nav.label")}>${PLACES.map((place) => this.#tab(place))}</nav>
            <div class="connection" role="status">${this.#connection()}</div>
            <button
              class="plain"
              aria-label=${t(dark ? "theme.light" : "theme.dark")}
              title=${t(dark ? "theme.light" : "theme.dark")}
              @click=${() => choose(dark ? "light" : "dark")}
            >
              ${icon(dark ? "sun" : "moon")}
            </button>
          </div>
        </header>
        <main tabindex="-1">${this.#banner()}${this.#view()}</main>
        <footer class="row apart quiet small">
          <span>heatmeter ${live.status?.version ?? ""}</span>
          ${
            live.status?.token
              ? html`<button class="plain small" @click=${this.#logOut}>${t("logout")}</button>`
              : nothing
          }
          <label class="row"
            ><span>${t("language")}</span>
            <select
              @change=${(event: Event) => {
                const wanted = (event.target as HTMLSelectElement).value as Language;
                remember(wanted);
                void this.#speak(wanted).then(async () => {
                  await this.updateComplete;
                  this.renderRoot.querySelector<HTMLElement>("footer select")?.focus();
                });
              }}
            >
              ${Object.entries(LANGUAGES).map(
                ([code, name]) =>
                  html`<option value=${code} lang=${code} ?selected=${code === currentLanguage()}>
                    ${name}
                  </option>`,
              )}
            </select>
          </label>
        </footer>
      `,
    )}`;
  }

  readonly #logOut = async (): Promise<void> => {
    // If the gateway is away, the page shows nothing any more all the same.
    await api.logout().catch(() => {});
    login.wanted();
  };

  #tab(place: Place): TemplateResult {
    const current = this.route.place === place;
    return html`<a href=${address(place)} aria-current=${current ? "page" : nothing}>
      ${icon(place)}<span>${t(`nav.${place}`)}</span>
    </a>`;
  }

  #connection(): TemplateResult {
    const { connection } = live;
    return html`<span class="dot ${connection}"></span><span>${t(`connection.${connection}`)}</span>`;
  }

  #banner(): TemplateResult | typeof nothing {
    if (live.connection === "lost") {
      const seconds = Math.max(0, Math.ceil((live.retryAt - Date.now()) / 1000));
      return html`<hm-notice
        kind="bad"
        heading=${t("connection.lost.title")}
        text=${live.loaded ? t("connection.lost.stale") : t("connection.lost.help")}
      >
        <div class="row">
          <span class="number" role="timer">${t("connection.retry", { seconds })}</span>
          <button class="small" @click=${() => live.connect()}>${t("connection.now")}</button>
        </div>
      </hm-notice>`;
    }
    if (live.updated) {
      return html`<hm-notice heading=${t("update.title")}>
        <div class="row">
          <button class="small" @click=${() => location.reload()}>${t("update.load")}</button>
        </div>
      </hm-notice>`;
    }
    const { history, config } = live.status ?? {};
    if (history && history.state !== "fine") {
      return html`<hm-notice kind="bad" heading=${t(`store.${history.state}`)} text=${history.message ?? ""}>
        ${history.waiting > 0 ? t("store.waiting", { count: history.waiting }) : nothing}
      </hm-notice>`;
    }
    if (config?.trouble) {
      const { message, help } = config.trouble;
      return html`<hm-notice
        kind="warn"
        heading=${t("config.trouble")}
        text=${`${message} ${help}`}
      ></hm-notice>`;
    }
    if (history?.salvaged) {
      const { polls, kept } = history.salvaged;
      return html`<hm-notice
        kind="warn"
        heading=${t("store.salvaged")}
        text=${t("store.salvaged.kept", { count: polls, file: kept })}
      ></hm-notice>`;
    }
    return nothing;
  }

  #view(): TemplateResult {
    const { place, query } = this.route;
    switch (place) {
      case "history":
        return html`<hm-history .query=${query}></hm-history>`;
      case "align":
        return html`<hm-align .query=${query}></hm-align>`;
      case "line":
        return html`<hm-line .query=${query}></hm-line>`;
      case "setup":
        return html`<hm-setup></hm-setup>`;
      default:
        return html`<hm-home></hm-home>`;
    }
  }
}
