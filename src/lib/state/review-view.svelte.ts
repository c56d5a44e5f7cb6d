/**
 * How two pictures are looked at: the mode of comparison, and one window onto both of them, so that what is
 * seen in the one is seen in the other. Knows nothing of what the pictures mean.
 */
import type { Spot } from './review-image.ts';

export const MODES = [
  { mode: 'side', name: 'Side by side', key: '1' },
  { mode: 'swipe', name: 'Swipe', key: '2' },
  { mode: 'onion', name: 'Onion skin', key: '3' },
  { mode: 'blink', name: 'Blink', key: '4' },
  { mode: 'difference', name: 'Difference', key: '5' },
  { mode: 'noise', name: 'Against noise', key: '6' },
] as const;
export type Mode = (typeof MODES)[number]['mode'];

const ZOOM_MAX = 32;
/** Blinking is slow enough to see what changes, and far below what harms anybody. */
export const BLINK_MS = 700;

export class ReviewView {
  mode = $state<Mode>('side');
  exposure = $state(0);
  /** Of the picture's width that shows the claim when swiping; of the claim's opacity in onion skin. */
  share = $state(0.5);
  /** Blinking shows the claim now. */
  claimed = $state(true);
  zoom = $state(1);
  /** What the window is centred on, as a part of the picture. */
  center = $state.raw({ x: 0.5, y: 0.5 });
  /** Which patch re-tracing is about, by a pixel of it. */
  spot = $state.raw<Spot | null>(null);

  /** For CSS: the picture is as large as the window at zoom 1. */
  readonly transform = $derived.by(() => {
    const { x, y } = this.center;
    return `translate(${(0.5 - x * this.zoom) * 100}%, ${(0.5 - y * this.zoom) * 100}%) scale(${this.zoom})`;
  });

  magnify(factor: number): void {
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), ZOOM_MAX);
    this.move(0, 0);
  }

  /** By parts of the window. */
  move(x: number, y: number): void {
    this.#lookAt(this.center.x + x / this.zoom, this.center.y + y / this.zoom);
  }

  /** Goes to a pixel and near enough to see its neighbours one by one. */
  goTo(spot: Spot, width: number, height: number): void {
    this.spot = spot;
    this.zoom = Math.min(Math.max(this.zoom, Math.max(width, height) / 24, 1), ZOOM_MAX);
    this.#lookAt((spot.x + 0.5) / width, (spot.y + 0.5) / height);
  }

  reset(): void {
    this.zoom = 1;
    this.spot = null;
    this.#lookAt(0.5, 0.5);
  }

  /** The pixel under a point of the window, given as parts of it. */
  pixelAt(x: number, y: number, width: number, height: number): Spot {
    const inside = (value: number, size: number): number => Math.min(Math.max(Math.floor(value * size), 0), size - 1);
    return {
      x: inside(this.center.x + (x - 0.5) / this.zoom, width),
      y: inside(this.center.y + (y - 0.5) / this.zoom, height),
    };
  }

  #lookAt(x: number, y: number): void {
    const edge = 0.5 / this.zoom;
    const inside = (value: number): number => Math.min(Math.max(value, edge), 1 - edge);
    this.center = { x: inside(x), y: inside(y) };
  }
}
