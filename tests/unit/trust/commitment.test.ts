/** Commitments: the delivered light is the committed light, and an opened leaf is the committed leaf. */
import { describe, expect, it } from 'vitest';
import { FILM_BYTES_PER_PIXEL, type Film } from '#lib/job/film.ts';
import { leafRects, type Rect } from '#lib/job/plan.ts';
import { commit, cutLeaf, openingMatches, rootOfDelivery } from '#lib/trust/commitment.ts';

const tile: Rect = { x: 256, y: 128, width: 20, height: 12 };
const samples = 2;

function film(): Film {
  const light = Uint8Array.from({ length: tile.width * tile.height * FILM_BYTES_PER_PIXEL }, (_, i) => (i * 31) % 251);
  const signatures = Uint16Array.from({ length: tile.width * tile.height * samples }, (_, i) => (i * 40503) & 0xffff);
  return { width: tile.width, height: tile.height, samples, light, signatures };
}

describe('a commitment', () => {
  const committed = commit(film(), tile);

  it('is met by the light and signature hashes that belong to it (control)', () => {
    expect(rootOfDelivery(film().light, committed.signatureHashes, tile)).toBe(committed.root);
  });

  it.each([0, FILM_BYTES_PER_PIXEL * 7 + 3, tile.width * tile.height * FILM_BYTES_PER_PIXEL - 1])(
    'is not met when byte %i of the light differs',
    (at) => {
      const { light } = film();
      light[at]! ^= 1;
      expect(rootOfDelivery(light, committed.signatureHashes, tile)).not.toBe(committed.root);
    },
  );

  it('is not met by signature hashes of another order', () => {
    const swapped = committed.signatureHashes.slice();
    swapped.copyWithin(0, 32, 64);
    expect(rootOfDelivery(film().light, swapped, tile)).not.toBe(committed.root);
  });

  it('is not met by a delivery of the wrong size', () => {
    expect(rootOfDelivery(film().light.subarray(FILM_BYTES_PER_PIXEL), committed.signatureHashes, tile)).toBeNull();
  });

  it('opens every leaf, edge leaves included', () => {
    const leaves = leafRects(tile);
    expect(leaves.at(-1)).toEqual({ x: 272, y: 136, width: 4, height: 4 });
    for (const [i, leaf] of leaves.entries()) {
      expect(openingMatches(cutLeaf(film(), tile, leaf), i, committed.leafHashes, committed.root)).toBe(true);
    }
  });

  it('refuses a leaf opened in the place of another, and a bent signature', () => {
    const leaf = cutLeaf(film(), tile, leafRects(tile)[0]!);
    expect(openingMatches(leaf, 1, committed.leafHashes, committed.root)).toBe(false);
    leaf.signatures[0]! ^= 1;
    expect(openingMatches(leaf, 0, committed.leafHashes, committed.root)).toBe(false);
  });
});
