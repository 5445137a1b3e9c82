// A short tone for each attempt: the higher, the better the head sits.

const LOWEST = 220;
const OCTAVES = 2;

export class Sound {
  #context: AudioContext | null = null;

  /** Browsers want a click before there is sound. */
  open(): void {
    this.#context ??= new AudioContext();
    void this.#context.resume();
    this.#tone(LOWEST * 2, 0.08);
  }

  tell(code: string, score: number): void {
    this.#tone(LOWEST * 2 ** ((OCTAVES * score) / 100), code === "ok" ? 0.14 : 0.3);
  }

  quiet(): void {
    void this.#context?.suspend();
  }

  close(): void {
    void this.#context?.close();
    this.#context = null;
  }

  #tone(frequency: number, seconds: number): void {
    const context = this.#context;
    if (!context) return;
    void context.resume();
    const [oscillator, gain] = [context.createOscillator(), context.createGain()];
    const now = context.currentTime;
    oscillator.frequency.value = frequency;
    // Without slopes it clicks.
    gain.gain.setValueAtTime(0, now);
    gain.gain.linearRampToValueAtTime(0.2, now + 0.015);
    gain.gain.linearRampToValueAtTime(0, now + seconds);
    oscillator.connect(gain).connect(context.destination);
    oscillator.start(now);
    oscillator.stop(now + seconds);
  }
}
