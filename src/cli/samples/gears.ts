/**
 * Spur gears whose teeth mesh: straight flanks at 20° to the radius, as wide as the gap at the pitch
 * circle but for the play. Refuses undercut corrections: with 15 teeth or more they would not be seen.
 */
import { revolve } from './shapes.ts';
import type { Shape } from './mesh.ts';
import type { Vec2 } from './vec.ts';

interface Gear {
  readonly teeth: number;
  /** Pitch diameter per tooth, metres: gears that mesh share it. */
  readonly module: number;
  readonly bore: number;
  readonly thickness: number;
}

export const pitchRadius = ({ teeth, module }: Pick<Gear, 'teeth' | 'module'>): number => (teeth * module) / 2;

const PLAY = 0.0002;
/** Samples at the middle of land, flank and gap: with straight flanks no others are needed. */
const PER_TOOTH = 8;

/** Radius of the outline at a share of one tooth's pitch, 0 being the middle of a tooth. */
function outline(gear: Omit<Gear, 'thickness'>, share: number): number {
  const pitch = Math.PI * gear.module;
  const r = pitchRadius(gear);
  const away = Math.abs(share - Math.round(share)) * pitch;
  const flank = Math.tan((20 * Math.PI) / 180);
  const height = (pitch / 4 - PLAY - away) / flank;
  return r + Math.min(gear.module, Math.max(-1.25 * gear.module, height));
}

/** A gear about +Y standing on y = 0, the middle of one tooth at `angle` radians (towards -Z from +X). */
export function gear({ thickness: t, ...g }: Gear, angle: number): Shape {
  const section: Vec2[] = [
    [g.bore, 0],
    [1, 0],
    [1, t],
    [g.bore, t],
  ];
  return revolve(section, {
    around: g.teeth * PER_TOOTH,
    loop: true,
    // A radius of 1 stands for the toothed outline; the bore is turned.
    shape: (r, y, a) => [r < 1 ? r : outline(g, ((a - angle) / (2 * Math.PI)) * g.teeth), y],
  });
}
