/**
 * The bins of one split of a scene into parts: drops the triangles of a sample into at most 16 slices
 * per axis by the middle of their boxes, and finds the plane between slices with the least surface
 * area × triangles. On doubles, the same everywhere. What lies below a part the kernel splits.
 */

const BINS = 16;

export class SahBins {
  /** Box (6) of each bin, axis by axis. */
  readonly #boxes = new Float64Array(3 * BINS * 6);
  readonly #counts = new Int32Array(3 * BINS);
  readonly #costs = new Float64Array(BINS);
  /** Least and largest doubled box middle, per axis. */
  readonly #middles = new Float64Array(6);
  /** Bins per unit of doubled middle, per axis; 0 where all middles coincide. */
  readonly #scales = new Float64Array(3);
  #bins = BINS;
  #sweepCost = Infinity;
  #sweepBin = 0;
  #axis = 0;
  #lastLeft = 0;

  /**
   * Takes a range of triangles; the other methods speak of it.
   * @param bounds 6 numbers per place. @param middles least x, y, z, then largest, of min + max of the boxes.
   */
  setRange(bounds: Float32Array, start: number, end: number, middles: Float64Array): void {
    // Few triangles cannot use many slices, and most ranges are small.
    const n = end - start;
    this.#bins = n <= 8 ? 4 : n <= 32 ? 8 : BINS;
    this.#middles.set(middles);
    for (let axis = 0; axis < 3; axis++) {
      const extent = (this.#middles[axis + 3] as number) - (this.#middles[axis] as number);
      this.#scales[axis] = extent > 0 ? this.#bins / extent : 0;
    }
    this.#fill(bounds, start, end);
  }

  /** @returns false when all middles coincide and no plane divides the range. */
  findPlane(): boolean {
    let best = Infinity;
    for (let axis = 0; axis < 3; axis++) {
      if (this.#scales[axis] === 0) continue;
      this.#sweep(axis);
      if (this.#sweepCost >= best) continue;
      best = this.#sweepCost;
      this.#axis = axis;
      this.#lastLeft = this.#sweepBin;
    }
    return best < Infinity;
  }

  /** The plane found, at a doubled middle: what lies below it is left. */
  plane(): { readonly axis: number; readonly at: number } {
    const axis = this.#axis;
    return { axis, at: (this.#middles[axis] as number) + (this.#lastLeft + 1) / (this.#scales[axis] as number) };
  }

  #clear(): void {
    const boxes = this.#boxes;
    const counts = this.#counts;
    const bins = this.#bins;
    for (let bin = 0; bin < 3 * BINS; bin++) {
      if (bin % BINS >= bins) continue;
      const q = bin * 6;
      counts[bin] = 0;
      boxes[q] = boxes[q + 1] = boxes[q + 2] = Infinity;
      boxes[q + 3] = boxes[q + 4] = boxes[q + 5] = -Infinity;
    }
  }

  /** One pass for all axes, because reading the boxes is the price. */
  #fill(b: Float32Array, start: number, end: number): void {
    this.#clear();
    const boxes = this.#boxes;
    const counts = this.#counts;
    const last = this.#bins - 1;
    const mx = this.#middles[0] as number;
    const my = this.#middles[1] as number;
    const mz = this.#middles[2] as number;
    const sx = this.#scales[0] as number;
    const sy = this.#scales[1] as number;
    const sz = this.#scales[2] as number;
    for (let at = start * 6; at < end * 6; at += 6) {
      const x0 = b[at] as number;
      const y0 = b[at + 1] as number;
      const z0 = b[at + 2] as number;
      const x1 = b[at + 3] as number;
      const y1 = b[at + 4] as number;
      const z1 = b[at + 5] as number;
      let bin = Math.min(last, ((x0 + x1 - mx) * sx) | 0);
      for (let axis = 0; axis < 3; axis++) {
        counts[bin] = (counts[bin] as number) + 1;
        const q = bin * 6;
        if (x0 < (boxes[q] as number)) boxes[q] = x0;
        if (y0 < (boxes[q + 1] as number)) boxes[q + 1] = y0;
        if (z0 < (boxes[q + 2] as number)) boxes[q + 2] = z0;
        if (x1 > (boxes[q + 3] as number)) boxes[q + 3] = x1;
        if (y1 > (boxes[q + 4] as number)) boxes[q + 4] = y1;
        if (z1 > (boxes[q + 5] as number)) boxes[q + 5] = z1;
        if (axis === 0) bin = BINS + Math.min(last, ((y0 + y1 - my) * sy) | 0);
        else bin = 2 * BINS + Math.min(last, ((z0 + z1 - mz) * sz) | 0);
      }
    }
  }

  /** The cheapest plane of one axis: from the right for the costs of that side, then from the left. */
  #sweep(axis: number): void {
    const boxes = this.#boxes;
    const counts = this.#counts;
    const bins = this.#bins;
    this.#sweepCost = Infinity;
    for (let pass = 0; pass < 2; pass++) {
      let x0 = Infinity;
      let y0 = Infinity;
      let z0 = Infinity;
      let x1 = -Infinity;
      let y1 = -Infinity;
      let z1 = -Infinity;
      let n = 0;
      for (let step = 0; step < bins - 1; step++) {
        const k = pass === 0 ? bins - 1 - step : step;
        const count = counts[axis * BINS + k] as number;
        if (count > 0) {
          const q = (axis * BINS + k) * 6;
          n += count;
          if ((boxes[q] as number) < x0) x0 = boxes[q] as number;
          if ((boxes[q + 1] as number) < y0) y0 = boxes[q + 1] as number;
          if ((boxes[q + 2] as number) < z0) z0 = boxes[q + 2] as number;
          if ((boxes[q + 3] as number) > x1) x1 = boxes[q + 3] as number;
          if ((boxes[q + 4] as number) > y1) y1 = boxes[q + 4] as number;
          if ((boxes[q + 5] as number) > z1) z1 = boxes[q + 5] as number;
        }
        const dx = x1 - x0;
        const dy = y1 - y0;
        const dz = z1 - z0;
        const cost = n === 0 ? Infinity : (dx * dy + dy * dz + dz * dx) * n;
        if (pass === 0) this.#costs[k] = cost;
        else if (cost + (this.#costs[k + 1] as number) < this.#sweepCost) {
          this.#sweepCost = cost + (this.#costs[k + 1] as number);
          this.#sweepBin = k;
        }
      }
    }
  }
}
